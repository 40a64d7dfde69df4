// SPDX-License-Identifier: Apache-2.0

#include "doctor/request_id.h"

#include <gtest/gtest.h>

namespace spanloom::doctor {
namespace {

TEST(RequestId, IsTheSameInAllComponents) {
  constexpr std::string_view kId = "5f0d1c1e-3f9c-4f3e-9d27-012345678901";
  EXPECT_EQ(BaseRequestId(kId), kId);
  EXPECT_EQ(BaseRequestId("chatcmpl-5f0d1c1e-3f9c-4f3e-9d27-012345678901"), kId);
  EXPECT_EQ(BaseRequestId("generate-tokens-5f0d1c1e-3f9c-4f3e-9d27-012345678901"), kId);
  EXPECT_EQ(BaseRequestId("cmpl-5f0d1c1e-3f9c-4f3e-9d27-012345678901-0"), kId);
  EXPECT_EQ(BaseRequestId("cmpl-5f0d1c1e-3f9c-4f3e-9d27-012345678901-127"), kId);
  EXPECT_EQ(BaseRequestId("embd-5f0d1c1e-3f9c-4f3e-9d27-012345678901"), kId);
}

TEST(RequestId, KeepsWhatIsNoPromptsNumber) {
  EXPECT_EQ(BaseRequestId("chatcmpl-run-7"), "run-7");
  EXPECT_EQ(BaseRequestId("cmpl-run-7-0"), "run-7");
  EXPECT_EQ(BaseRequestId("cmpl-run-"), "run-");
  EXPECT_EQ(BaseRequestId("cmpl--1"), "-1");
  EXPECT_EQ(BaseRequestId(""), "");
}

TEST(RequestId, IsAnAttributeOfEnginesSchedulersAndEnvoy) {
  EXPECT_TRUE(IsRequestIdKey("gen_ai.request.id"));
  EXPECT_TRUE(IsRequestIdKey("guid:x-request-id"));
  EXPECT_FALSE(IsRequestIdKey("llm_d.pd_proxy.request_id"));
}

}  // namespace
}  // namespace spanloom::doctor
