// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/image_reference.h"

#include <gtest/gtest.h>

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kDigest = "sha256:b248ef911f93ae27cbbc85056d1ffacc87fd941bbdc2ffd951b6df8df72b8096";

TEST(ImageReference, HasParts) {
  const std::string full = "example.com:5000/team/app:1.0@" + std::string(kDigest);
  const ImageReference image = ImageReference::Of(full);
  EXPECT_EQ(image.repository, "example.com:5000/team/app");
  EXPECT_EQ(image.tag, "1.0");
  EXPECT_EQ(image.digest, kDigest);
  EXPECT_EQ(ImageReference::Of("localhost:5000/app").repository, "localhost:5000/app");
  EXPECT_EQ(ImageReference::Of("localhost:5000/app").tag, "");
}

TEST(ImageReference, RefusesWhatIsNone) {
  for (const char* name : {"", "docker-pullable://nginx:1", "a b", "nginx@sha256:1", "nginx@", "/nginx"}) {
    EXPECT_EQ(ImageReference::Of(name).repository, "") << name;
  }
}

TEST(ImageReference, HasAVersion) {
  const std::string digest(kDigest);
  EXPECT_EQ(ImageVersion(ImageReference::Of("nginx:1.27")), "1.27");
  EXPECT_EQ(ImageVersion(ImageReference::Of("nginx@" + digest)), digest);
  EXPECT_EQ(ImageVersion(ImageReference::Of("nginx:1.27@" + digest)), "1.27@" + digest);
  EXPECT_EQ(ImageVersion(ImageReference::Of("nginx")), "");
}

TEST(ImageReference, IsCanonicalWithItsRegistry) {
  const std::string digest = "@" + std::string(kDigest);
  EXPECT_EQ(CanonicalImage("nginx" + digest), "docker.io/library/nginx" + digest);
  EXPECT_EQ(CanonicalImage("vllm/vllm-openai" + digest), "docker.io/vllm/vllm-openai" + digest);
  EXPECT_EQ(CanonicalImage("ghcr.io/llm-d/sim" + digest), "ghcr.io/llm-d/sim" + digest);
  EXPECT_EQ(CanonicalImage(kDigest), "");
  EXPECT_EQ(CanonicalImage("nginx:1"), "");
}

}  // namespace
}  // namespace spanloom::pipeline
