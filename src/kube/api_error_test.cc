// SPDX-License-Identifier: Apache-2.0

#include "kube/api_error.h"

#include <gtest/gtest.h>

namespace spanloom::kube {
namespace {

TEST(ApiError, NamesTheRuleThatIsMissing) {
  const Status status = ApiError(
      403, R"({"kind":"Status","message":"pods is forbidden: User \"system:serviceaccount:a:b\" cannot list"})",
      "GET https://api/api/v1/pods", "ClusterRole: {...}");
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(status.message(),
            "GET https://api/api/v1/pods: 403: pods is forbidden: User \"system:serviceaccount:a:b\" cannot list; bind "
            "the account to a role with this rule: ClusterRole: {...}");
}

TEST(ApiError, TakesAnyBody) {
  EXPECT_EQ(ApiError(502, "bad gateway", "GET u", "").message(), "GET u: 502: bad gateway");
  EXPECT_LT(ApiError(500, std::string(10'000, 'x'), "GET u", "").message().size(), 400u);
}

TEST(ApiError, SaysWhetherToTryAgain) {
  EXPECT_TRUE(absl::IsOutOfRange(ApiError(410, "", "", "")));
  EXPECT_TRUE(absl::IsUnauthenticated(ApiError(401, "", "", "")));
  EXPECT_TRUE(absl::IsNotFound(ApiError(404, "", "", "")));
  EXPECT_TRUE(absl::IsInvalidArgument(ApiError(400, "", "", "")));
  EXPECT_TRUE(absl::IsUnavailable(ApiError(429, "", "", "")));
  EXPECT_TRUE(absl::IsUnavailable(ApiError(503, "", "", "")));
  EXPECT_EQ(ApiError(302, "", "", "").code(), absl::StatusCode::kUnknown);
}

}  // namespace
}  // namespace spanloom::kube
