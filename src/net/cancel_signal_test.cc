// SPDX-License-Identifier: Apache-2.0

#include "net/cancel_signal.h"

#include <gtest/gtest.h>

#include <thread>

namespace spanloom::net {
namespace {

TEST(CancelSignal, RunsItsCallbackOnce) {
  auto state = std::make_shared<CancelState>();
  const CancelSignal signal(state);
  int runs = 0;
  signal.OnCancel([&] { ++runs; });
  EXPECT_FALSE(signal.is_cancelled());
  state->Cancel();
  state->Cancel();
  EXPECT_TRUE(signal.is_cancelled());
  EXPECT_EQ(runs, 1);
}

TEST(CancelSignal, RunsALateCallbackAtOnce) {
  auto state = std::make_shared<CancelState>();
  state->Cancel();
  int runs = 0;
  CancelSignal(state).OnCancel([&] { ++runs; });
  EXPECT_EQ(runs, 1);
}

// Scenario: a callback that holds on to something, set before or after the request was answered.
// Guarantees: it never runs, and lets go of what it held.
TEST(CancelSignal, DropsTheCallbackOfAnAnsweredRequest) {
  for (const bool answered_first : {false, true}) {
    auto state = std::make_shared<CancelState>();
    auto held = std::make_shared<int>(0);
    if (answered_first) state->Settle();
    CancelSignal(state).OnCancel([held] { ++*held; });
    if (!answered_first) state->Settle();
    EXPECT_EQ(held.use_count(), 1);
    state->Cancel();
    EXPECT_EQ(*held, 0);
  }
}

TEST(CancelSignal, OfNoRequestIsNeverCancelled) {
  const CancelSignal signal;
  signal.OnCancel([] { FAIL(); });
  EXPECT_FALSE(signal.is_cancelled());
}

// Scenario: one thread cancels while another sets its callback, a thousand times.
// Guarantees: the callback runs exactly once, whoever was first.
TEST(CancelSignal, LosesNoCallbackInARace) {
  for (int i = 0; i < 1000; ++i) {
    auto state = std::make_shared<CancelState>();
    std::atomic<int> runs = 0;
    std::thread canceller([&] { state->Cancel(); });
    state->OnCancel([&] { ++runs; });
    canceller.join();
    EXPECT_EQ(runs, 1);
  }
}

}  // namespace
}  // namespace spanloom::net
