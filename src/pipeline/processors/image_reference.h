// SPDX-License-Identifier: Apache-2.0
//
// The parts of a container image's name. Source: distribution/reference, "Grammar"; semantic conventions, "How
// service.version should be calculated".

#pragma once

#include <string>
#include <string_view>

namespace spanloom::pipeline {

// "example.com:5000/team/app:1.0@sha256:...". Views of the name.
struct ImageReference {
  std::string_view repository;  // "example.com:5000/team/app"; "" if the name is none
  std::string_view tag;         // "1.0", or ""
  std::string_view digest;      // "sha256:...", or ""

  static ImageReference Of(std::string_view name);
};

// "TAG@DIGEST", or what there is of both; "" if there is neither.
[[nodiscard]] std::string ImageVersion(const ImageReference& image);

// A runtime's image id with its registry, as in "docker.io/library/nginx@sha256:..."; "" if it names no digest of a
// repository, as an id that is a digest alone.
[[nodiscard]] std::string CanonicalImage(std::string_view image_id);

}  // namespace spanloom::pipeline
