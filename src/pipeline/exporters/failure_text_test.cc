// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/failure_text.h"

#include <gtest/gtest.h>

namespace spanloom::pipeline {
namespace {

// Scenario: an error for good, one for the moment, and one whose sender said when to come again.
// Guarantees: the Collector's words around ours.
TEST(FailureText, HasTheCollectorsWords) {
  EXPECT_EQ(FailureText(absl::InvalidArgumentError("b:1: no")),
            "Permanent error: rpc error: code = InvalidArgument desc = b:1: no");
  EXPECT_EQ(FailureText(absl::UnavailableError("b:1: not now")), "rpc error: code = Unavailable desc = b:1: not now");
  EXPECT_EQ(FailureText(WithRetryDelay(absl::UnavailableError("later"), std::chrono::milliseconds(1'500))),
            "Throttle (1.5s), error: rpc error: code = Unavailable desc = later");
}

}  // namespace
}  // namespace spanloom::pipeline
