// SPDX-License-Identifier: Apache-2.0

#include "base/status.h"

#include <gtest/gtest.h>

namespace spanloom {
namespace {

using std::chrono::milliseconds;

// Scenario: each code of the OTLP table, and RESOURCE_EXHAUSTED with and without a delay.
// Guarantees: exactly the retryable ones are retried.
TEST(Status, IsRetryableFollowsTheOtlpTable) {
  EXPECT_TRUE(IsRetryable(absl::UnavailableError("")));
  EXPECT_TRUE(IsRetryable(absl::DeadlineExceededError("")));
  EXPECT_TRUE(IsRetryable(absl::DataLossError("")));
  EXPECT_FALSE(IsRetryable(absl::InvalidArgumentError("")));
  EXPECT_FALSE(IsRetryable(absl::InternalError("")));
  EXPECT_FALSE(IsRetryable(absl::ResourceExhaustedError("")));
  EXPECT_TRUE(IsRetryable(WithRetryDelay(absl::ResourceExhaustedError(""), milliseconds(0))));
}

// Scenario: an error with a delay crosses a boundary that adds context.
// Guarantees: code and delay survive, the context stands first.
TEST(Status, AnnotateKeepsCodeAndRetryDelay) {
  const Status status =
      Annotate(WithRetryDelay(absl::UnavailableError("queue is full"), milliseconds(250)), "otlp/jaeger");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(status.message(), "otlp/jaeger: queue is full");
  EXPECT_EQ(RetryDelay(status), milliseconds(250));
  EXPECT_TRUE(Annotate(absl::OkStatus(), "x").ok());
}

}  // namespace
}  // namespace spanloom
