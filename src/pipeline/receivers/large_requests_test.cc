// SPDX-License-Identifier: Apache-2.0

#include "pipeline/receivers/large_requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>

namespace spanloom::pipeline {
namespace {

// Scenario: sizes around the limit; a large request.
// Guarantees: the limit itself is large; the request is dealt with on another thread.
TEST(LargeRequests, TakesLargeOnesToAWorker) {
  WorkerPool workers("work", 1, 4);
  LargeRequests requests(workers, 100);
  EXPECT_FALSE(requests.IsLarge(99));
  EXPECT_TRUE(requests.IsLarge(100));
  std::thread::id where;
  requests.Run([&] { where = std::this_thread::get_id(); });
  requests.Drain();
  EXPECT_NE(where, std::thread::id());
  EXPECT_NE(where, std::this_thread::get_id());
}

// Scenario: the only worker is held up and one task waits for it; another large request comes.
// Guarantees: whoever brings it deals with it.
TEST(LargeRequests, DoesItItselfWhenWorkersHaveTooMuchToDo) {
  WorkerPool workers("work", 1, 1);
  LargeRequests requests(workers);
  Notification is_held_up;
  Notification go_on;
  requests.Run([&] {
    is_held_up.Notify();
    go_on.Wait();
  });
  is_held_up.Wait();
  std::atomic<bool> has_run = false;
  requests.Run([&] { has_run = true; });  // waits
  std::thread::id third;
  requests.Run([&] { third = std::this_thread::get_id(); });
  EXPECT_EQ(third, std::this_thread::get_id());
  EXPECT_FALSE(has_run);
  go_on.Notify();
  requests.Drain();
  EXPECT_TRUE(has_run);
}

// Scenario: a drain while a worker is at a request that holds something.
// Guarantees: the drain waits for it, and what it held is gone then.
TEST(LargeRequests, DrainWaitsForThoseAtWorkers) {
  WorkerPool workers("work", 1, 4);
  LargeRequests requests(workers);
  const auto held = std::make_shared<int>(0);
  requests.Run([copy = held] { ++*copy; });
  requests.Drain();
  EXPECT_EQ(*held, 1);
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace spanloom::pipeline
