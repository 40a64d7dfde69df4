// SPDX-License-Identifier: Apache-2.0

#include "net/loop_lag.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/testing/net_fixture.h"

namespace spanloom::net {
namespace {

using std::chrono::steady_clock;

// Scenario: a loop that is idle, then held up for more than the time between two samples.
// Guarantees: the greatest lag shows it; the page has the quantiles while the watch lasts.
TEST(LoopLag, ShowsALoopThatIsHeldUp) {
  LoopPool loops(1);
  MetricRegistry metrics;
  {
    const LoopLag lag(loops, metrics);
    EXPECT_THAT(metrics.Render(), testing::HasSubstr("spanloom_net_loop_lag_seconds{loop=\"0\",quantile=\"0.99\"} "));
    loops.At(0).Post([] {
      const auto end = steady_clock::now() + std::chrono::milliseconds(250);
      while (steady_clock::now() < end) {
      }
    });
    EXPECT_TRUE(Eventually([&] { return lag.Quantile(1.0) >= std::chrono::milliseconds(100); }));
  }
  EXPECT_THAT(metrics.Render(), testing::Not(testing::HasSubstr("quantile")));
}

}  // namespace
}  // namespace spanloom::net
