// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/image_reference.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

constexpr size_t kDigestHexMin = 32;  // the grammar's

bool IsDigest(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos || text.size() - colon - 1 < kDigestHexMin) return false;
  return absl::c_all_of(text.substr(colon + 1), [](unsigned char c) { return absl::ascii_isxdigit(c); });
}

bool IsRepository(std::string_view text) {
  if (text.empty() || text.find("//") != std::string_view::npos || text.front() == '/' || text.back() == '/') {
    return false;
  }
  static constexpr std::string_view kSigns = "._-/:[]";
  return absl::c_all_of(text, [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || kSigns.find(c) != std::string_view::npos;
  });
}

bool NamesRegistry(std::string_view repository) {
  const size_t slash = repository.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view first = repository.substr(0, slash);
  return first == "localhost" || first.find_first_of(".:") != std::string_view::npos;
}

}  // namespace

ImageReference ImageReference::Of(std::string_view name) {
  ImageReference image;
  const size_t at = name.find('@');
  if (at != std::string_view::npos) {
    image.digest = name.substr(at + 1);
    if (!IsDigest(image.digest)) return {};
    name = name.substr(0, at);
  }
  const size_t colon = name.rfind(':');
  // One in front of a slash belongs to the port of a registry.
  if (colon != std::string_view::npos && name.find('/', colon) == std::string_view::npos) {
    image.tag = name.substr(colon + 1);
    name = name.substr(0, colon);
  }
  if (!IsRepository(name)) return {};
  image.repository = name;
  return image;
}

std::string ImageVersion(const ImageReference& image) {
  if (image.digest.empty()) return std::string(image.tag);
  return image.tag.empty() ? std::string(image.digest) : StrCat(image.tag, "@", image.digest);
}

std::string CanonicalImage(std::string_view image_id) {
  const ImageReference image = ImageReference::Of(image_id);
  if (image.repository.empty() || image.digest.empty()) return "";
  if (NamesRegistry(image.repository)) return std::string(image_id);
  const bool has_folder = image.repository.find('/') != std::string_view::npos;
  return StrCat(has_folder ? "docker.io/" : "docker.io/library/", image_id);
}

}  // namespace spanloom::pipeline
