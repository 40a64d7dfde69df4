// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/ticker.h"

#include <gtest/gtest.h>

#include <atomic>

#include "pipeline/testing/fake_consumer.h"

namespace spanloom::pipeline {
namespace {

// Scenario: a task of a millisecond, stopped after the third run.
// Guarantees: it runs again and again, and not after Stop.
TEST(Ticker, RunsUntilItIsStopped) {
  net::LoopPool loops(1);
  Mutex mutex;
  int runs = 0;
  Ticker ticker(loops, std::chrono::milliseconds(1), [&] {
    const MutexLock lock(mutex);
    ++runs;
  });
  ticker.Start();
  {
    const MutexLock lock(mutex);
    EXPECT_TRUE(mutex.AwaitFor([&] { return runs >= 3; }, kPatience));
  }
  ticker.Stop();
  const int at_stop = runs;
  Notification later;
  loops.At(0).Post([&] { later.Notify(); });
  later.Wait();
  EXPECT_EQ(runs, at_stop);
}

// Scenario: one that is never started, one whose time does not come.
// Guarantees: both end at once.
TEST(Ticker, EndsWithoutARun) {
  net::LoopPool loops(1);
  const Ticker never(loops, std::chrono::hours(1), [] { ADD_FAILURE(); });
  Ticker waiting(loops, std::chrono::hours(1), [] { ADD_FAILURE(); });
  waiting.Start();
}

}  // namespace
}  // namespace spanloom::pipeline
