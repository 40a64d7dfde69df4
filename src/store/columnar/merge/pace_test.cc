// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/merge/pace.h"

#include <gtest/gtest.h>

#include <thread>

namespace spanloom::store::columnar {
namespace {

// Scenario: less is spent than may be in the time that passes, then more than may be in a minute, then the work
// is stopped. Guarantees: the first does not wait, the second waits until the end; after it nothing waits.
TEST(Pace, WaitsUntilItIsStopped) {
  SimClock clock;
  Pace pace(1'000'000, clock);
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_TRUE(pace.Spend(1'000));
    clock.Advance(1'000'000);
  }
  bool goes_on = true;
  std::thread worker([&] { goes_on = pace.Spend(uint64_t{1} << 60); });
  pace.Stop();
  worker.join();
  EXPECT_FALSE(goes_on);
  EXPECT_FALSE(pace.Spend(1));
  pace.Stop();
}

}  // namespace
}  // namespace spanloom::store::columnar
