// SPDX-License-Identifier: Apache-2.0

#include "net/loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/testing/net_fixture.h"

namespace spanloom::net {
namespace {

using testing::ElementsAre;

TEST(Loop, RunsTasksInOrderOfPosting) {
  LoopPool loops(1);
  Loop& loop = loops.At(0);
  const auto order = std::make_shared<std::vector<int>>();
  for (int i = 0; i < 3; ++i) loop.Post([order, i] { order->push_back(i); });
  EXPECT_THAT(RunOn(loop, [order] { return *order; }), ElementsAre(0, 1, 2));
}

TEST(Loop, KnowsItsOwnThread) {
  LoopPool loops(2);
  EXPECT_FALSE(loops.At(0).IsCurrent());
  EXPECT_TRUE(RunOn(loops.At(0), [&] { return loops.At(0).IsCurrent(); }));
  EXPECT_FALSE(RunOn(loops.At(0), [&] { return loops.At(1).IsCurrent(); }));
}

TEST(Timer, RunsTheTaskWhenTheDelayIsOver) {
  LoopPool loops(1);
  const Promise<bool> ran;
  const auto start = std::chrono::steady_clock::now();
  Timer timer =
      RunOn(loops.At(0), [&] { return loops.At(0).PostAfter(std::chrono::milliseconds(5), [ran] { ran.Set(true); }); });
  EXPECT_TRUE(ran.Get());
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(5));
}

// Scenario: a timer expires while the loop is in another task, and that task then cancels it.
// Guarantees: a cancelled task does not run, though its time had come.
TEST(Timer, CancelledAfterItExpiredStaysSilent) {
  LoopPool loops(1);
  Loop& loop = loops.At(0);
  const auto runs = std::make_shared<int>(0);
  RunOn(loop, [&] {
    Timer cancelled = loop.PostAfter(std::chrono::nanoseconds(0), [runs] { ++*runs; });
    Timer destroyed = loop.PostAfter(std::chrono::nanoseconds(0), [runs] { ++*runs; });
    Timer replaced = loop.PostAfter(std::chrono::nanoseconds(0), [runs] { ++*runs; });
    const auto start = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - start < std::chrono::microseconds(100)) {
    }
    cancelled.Cancel();
    replaced = Timer();
    return true;
  });
  const Promise<bool> later;
  Timer timer = RunOn(loop, [&] { return loop.PostAfter(std::chrono::milliseconds(1), [later] { later.Set(true); }); });
  EXPECT_TRUE(later.Get());
  EXPECT_EQ(RunOn(loop, [runs] { return *runs; }), 0);
}

TEST(Timer, MayBeReplacedByItsOwnTask) {
  LoopPool loops(1);
  Loop& loop = loops.At(0);
  const auto timer = std::make_shared<Timer>();
  const Promise<bool> second;
  loop.Post([&loop, timer, second] {
    *timer = loop.PostAfter(std::chrono::nanoseconds(0), [&loop, timer, second] {
      *timer = loop.PostAfter(std::chrono::nanoseconds(0), [second] { second.Set(true); });
    });
  });
  EXPECT_TRUE(second.Get());
  RunOn(loop, [timer] {
    *timer = Timer();
    return true;
  });
}

// Scenario: a pool ends while a task is posted that will never run.
// Guarantees: the task is destroyed with what it holds.
TEST(LoopPool, DestroysTasksThatDidNotRun) {
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = held;
  {
    LoopPool loops(1);
    Loop& loop = loops.At(0);
    const Promise<Timer> timer;
    loop.Post([&loop, timer, held = std::move(held)]() mutable {
      timer.Set(loop.PostAfter(std::chrono::hours(1), [held = std::move(held)] {}));
    });
    Timer kept = timer.Get();
    EXPECT_FALSE(watch.expired());
    RunOn(loop, [&] {
      kept.Cancel();
      return true;
    });
  }
  EXPECT_TRUE(watch.expired());
}

TEST(LoopPool, HandsOutLoopsInTurn) {
  LoopPool loops(2);
  Loop& first = loops.Next();
  Loop& second = loops.Next();
  EXPECT_NE(&first, &second);
  EXPECT_EQ(&loops.Next(), &first);
}

TEST(LoopPool, MakesALoopForEachCoreByDefault) {
  const LoopPool loops(0);
  EXPECT_GE(loops.size(), 1U);
}

}  // namespace
}  // namespace spanloom::net
