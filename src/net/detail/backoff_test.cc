// SPDX-License-Identifier: Apache-2.0

#include "net/detail/backoff.h"

#include <gtest/gtest.h>

namespace spanloom::net {
namespace {

using std::chrono::milliseconds;

const Backoff::TimePoint kNow = Backoff::TimePoint() + std::chrono::hours(1);

// Scenario: twenty failures in a row, for several seeds.
// Guarantees: the n-th delay is 1 s · 2^n, at most 120 s, and never more than a fifth off.
TEST(Backoff, DoublesWithJitterUpToItsMaximumProperty) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Backoff backoff(seed);
    double expected_ms = 1'000;
    for (int failure = 0; failure < 20; ++failure) {
      backoff.OnFailure(kNow, absl::UnavailableError("refused"));
      EXPECT_FALSE(backoff.Check(kNow + milliseconds(static_cast<int64_t>(expected_ms * 0.8) - 2)).ok());
      EXPECT_TRUE(backoff.Check(kNow + milliseconds(static_cast<int64_t>(expected_ms * 1.2) + 2)).ok());
      expected_ms = std::min(expected_ms * 2, 120'000.0);
    }
  }
}

TEST(Backoff, StartsAnewAfterSuccess) {
  Backoff backoff(1);
  EXPECT_TRUE(backoff.Check(kNow).ok());
  for (int failure = 0; failure < 10; ++failure) backoff.OnFailure(kNow, absl::UnavailableError("refused"));
  backoff.OnSuccess();
  EXPECT_TRUE(backoff.Check(kNow).ok());
  backoff.OnFailure(kNow, absl::UnavailableError("refused"));
  EXPECT_TRUE(backoff.Check(kNow + milliseconds(1'201)).ok());
}

TEST(Backoff, SaysWhyAndHowLong) {
  Backoff backoff(1);
  backoff.OnFailure(kNow, absl::UnavailableError("refused"));
  const Status status = backoff.Check(kNow);
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_NE(status.message().find("refused (next attempt in "), absl::string_view::npos) << status;
}

}  // namespace
}  // namespace spanloom::net
