// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/meetings.h"

#include <gtest/gtest.h>

#include <vector>

namespace spanloom::llmd::simulator {
namespace {

class MeetingsTest : public testing::Test {
 protected:
  void Ask(const std::string& name) {
    meetings_.Ask(name, [this](bool was_there) { told_.push_back(was_there); });
  }

  SimClock clock_;
  MetricRegistry registry_;
  EngineMetrics metrics_{registry_, {.model_name = "m"}};
  net::LoopPool loops_{1};
  EngineHost engine_{{}, Rng(1), loops_, clock_, metrics_, nullptr};
  Meetings meetings_{clock_};
  std::vector<bool> told_;
};

// Scenario: decode asks first, or prefill offers first; the engine keeps nothing, as it tells whoever releases.
// Guarantees: either way who asked is told once, by the engine.
TEST_F(MeetingsTest, EitherMayComeFirst) {
  Ask("a");
  EXPECT_TRUE(told_.empty());
  meetings_.Offer("a", engine_, 7);
  engine_.Settle();
  EXPECT_EQ(told_, std::vector<bool>({false}));  // nothing is kept under 7
  meetings_.Offer("b", engine_, 8);
  Ask("b");
  engine_.Settle();
  EXPECT_EQ(told_.size(), 2);
}

// Guarantees: who asks for what was withdrawn, before or after, need not wait.
TEST_F(MeetingsTest, SaysThatThereWillBeNothing) {
  Ask("a");
  meetings_.Withdraw("a");
  meetings_.Withdraw("b");
  Ask("b");
  EXPECT_EQ(told_, std::vector<bool>({false, false}));
}

// Guarantees: of two who ask under one name the first waits no longer; nor does anybody when time is up, or at the end.
TEST_F(MeetingsTest, NobodyWaitsForEver) {
  Ask("a");
  Ask("a");
  EXPECT_EQ(told_.size(), 1);
  clock_.Advance(kMeetingNs + 1);
  Ask("b");
  EXPECT_EQ(told_.size(), 2);
  meetings_.Clear();
  EXPECT_EQ(told_, std::vector<bool>({false, false, false}));
}

}  // namespace
}  // namespace spanloom::llmd::simulator
