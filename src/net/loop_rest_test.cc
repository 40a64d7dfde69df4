// SPDX-License-Identifier: Apache-2.0

#include "net/loop_rest.h"

#include <gtest/gtest.h>

#include <thread>

#include "net/loop.h"
#include "net/testing/net_fixture.h"

namespace spanloom::net {
namespace {

using std::chrono::milliseconds;

// A window of 250 ms.
LoopUsage Window(milliseconds cpu, uint64_t wakeups, uint64_t bytes_read) {
  return {.wall = kRestWindow, .cpu = cpu, .wakeups = wakeups, .bytes_read = bytes_read};
}

const LoopUsage kManySmall = Window(milliseconds(30), 1'250, 900'000);  // 5,000 a second

TEST(RestPolicy, RestsWhereManySmallRequestsWakeAnIdleLoop) {
  RestPolicy policy;
  EXPECT_FALSE(policy.RestsNext(Window(milliseconds(1), 20, 100)));
  EXPECT_TRUE(policy.RestsNext(kManySmall));
  EXPECT_TRUE(policy.RestsNext(Window(milliseconds(12), 124, 880'000)));
}

TEST(RestPolicy, ABusyLoopDoesNotRest) {
  RestPolicy policy;
  EXPECT_FALSE(policy.RestsNext(Window(milliseconds(200), 1'250, 9'000'000)));
  EXPECT_TRUE(policy.RestsNext(kManySmall));
  EXPECT_FALSE(policy.RestsNext(Window(milliseconds(160), 120, 9'000'000)));
}

// Scenario: a client waits for each answer, so that with rests it sends a sixth.
// Guarantees: the loop rests no longer than a window, and tries again ever less often, up to half a minute later.
TEST(RestPolicy, ClientsThatWaitForAnswersAreNotHeldUp) {
  RestPolicy policy;
  int rested = 0;
  constexpr int kWindows = 1'280;
  bool rests = false;
  for (int i = 0; i < kWindows; ++i) {
    rests = policy.RestsNext(rests ? Window(milliseconds(9), 124, 150'000) : kManySmall);
    rested += rests ? 1 : 0;
  }
  EXPECT_GE(rested, 8);
  EXPECT_LE(rested, 20);
}

// Scenario: the load falls while the loop rests.
// Guarantees: at the next measurement without rests it is found not worth any.
TEST(RestPolicy, IsMeasuredWithoutRestsNowAndThen) {
  RestPolicy policy;
  ASSERT_TRUE(policy.RestsNext(kManySmall));
  int rested = 1;
  while (policy.RestsNext(Window(milliseconds(12), 124, 900'000))) ++rested;
  EXPECT_EQ(rested, 40);
  EXPECT_FALSE(policy.RestsNext(Window(milliseconds(3), 50, 10'000)));
}

TEST(RestPolicy, CountsWhatTheThreadUsed) {
  const LoopUsage before = ThreadUsage(5);
  std::this_thread::sleep_for(milliseconds(1));
  const LoopUsage used = ThreadUsage(12) - before;
  EXPECT_GE(used.wakeups, 1);
  EXPECT_GE(used.wall, milliseconds(1));
  EXPECT_EQ(used.bytes_read, 7);
}

// Scenario: a loop that may rest is woken over and over for longer than three windows, then stopped.
// Guarantees: what was posted runs in its order, timers fire, and it ends.
TEST(LoopThatMayRest, RunsWhatItIsGiven) {
  LoopPool loops(1, LoopRest::kWhenItPays);
  const auto end = std::chrono::steady_clock::now() + 3 * kRestWindow;
  int runs = 0;
  while (std::chrono::steady_clock::now() < end) {
    const int before = RunOn(loops.At(0), [&] { return runs++; });
    ASSERT_EQ(RunOn(loops.At(0), [&] { return runs; }), before + 1);
  }
  const Promise<bool> fired;
  Timer timer =
      RunOn(loops.At(0), [&] { return loops.At(0).PostAfter(milliseconds(1), [fired] { fired.Set(true); }); });
  EXPECT_TRUE(fired.Get());
}

}  // namespace
}  // namespace spanloom::net
