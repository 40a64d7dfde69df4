// SPDX-License-Identifier: Apache-2.0

#include "base/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>

#include "base/mutex.h"

namespace spanloom {
namespace {

// Scenario: one thread is held, the queue of two is filled, a fourth task comes.
// Guarantees: the fourth is refused at once; the queued ones run when the thread is free, before the destructor
// returns.
TEST(WorkerPool, RefusesWhatDoesNotFitAndRunsTheRest) {
  Notification started;
  Notification release;
  std::atomic<int> ran = 0;
  {
    WorkerPool pool("test", 1, 2);
    ASSERT_TRUE(pool.Submit([&] {
      started.Notify();
      release.Wait();
    }));
    started.Wait();
    EXPECT_TRUE(pool.Submit([&] { ++ran; }));
    EXPECT_TRUE(pool.Submit([&] { ++ran; }));
    EXPECT_FALSE(pool.Submit([&] { ++ran; }));
    EXPECT_EQ(pool.queued(), 2);
    release.Notify();
  }
  EXPECT_EQ(ran, 2);
}

}  // namespace
}  // namespace spanloom
