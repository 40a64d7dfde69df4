// SPDX-License-Identifier: Apache-2.0

#include "pipeline/sampling/sampling_trace_state.h"

#include <gtest/gtest.h>

namespace spanloom::pipeline {
namespace {

SamplingTraceState Read(std::string_view text) {
  auto state = SamplingTraceState::Read(text);
  EXPECT_TRUE(state.ok()) << text << ": " << state.status();
  return *std::move(state);
}

bool IsMalformed(std::string_view text) {
  return SamplingTraceState::Read(text).status().code() == absl::StatusCode::kInvalidArgument;
}

TEST(SamplingTraceState, ReadsItsMemberAmongOthers) {
  const SamplingTraceState state = Read("vendor=x y, ot=th:c;rv:00000000000001;p:5 ,,1t@sys=2");
  EXPECT_EQ(state.threshold(), uint64_t{0xC} << 52);
  EXPECT_EQ(state.randomness(), 1u);
  EXPECT_EQ(state.ToString(), "ot=rv:00000000000001;th:c;p:5,vendor=x y,1t@sys=2");
}

TEST(SamplingTraceState, OfNothingIsNothing) {
  EXPECT_EQ(Read("").ToString(), "");
  EXPECT_EQ(Read("a=1").ToString(), "a=1");
  EXPECT_EQ(Read("").threshold(), std::nullopt);
}

// Scenario: a threshold is raised, lowered, and cleared; randomness is set.
// Guarantees: it only rises; what was not set stays in the form in which it came.
TEST(SamplingTraceState, RaisesItsThreshold) {
  SamplingTraceState state = Read("ot=th:80;rv:FD70A3D70A3D71");
  state.RaiseThreshold(uint64_t{1} << 54);
  EXPECT_EQ(state.ToString(), "ot=rv:FD70A3D70A3D71;th:80");
  state.RaiseThreshold(uint64_t{3} << 54);
  EXPECT_EQ(state.ToString(), "ot=rv:FD70A3D70A3D71;th:c");
  state.ClearThreshold();
  state.SetRandomness(1);
  EXPECT_EQ(state.ToString(), "ot=rv:00000000000001");
}

// Scenario: a tracestate at each of its limits gets a member, or a longer one.
// Guarantees: what was at the end goes, and the rest can be read again.
TEST(SamplingTraceState, StaysWithinItsLimits) {
  std::string members = "a=1";
  for (int i = 1; i < 32; ++i) members += ",a=1";
  const std::string longest = "a=" + std::string(256, 'x');
  const std::string texts[] = {members,
                               "b=1,c=2," + longest + "," + longest + "," + longest + ",d=" + std::string(230, 'y'),
                               "ot=p:" + std::string(240, 'z')};
  for (const std::string& text : texts) {
    SamplingTraceState state = Read(text);
    state.RaiseThreshold(0);
    state.SetRandomness(1);
    const std::string written = state.ToString();
    EXPECT_EQ(written.find("ot=rv:00000000000001;th:0"), 0u);
    EXPECT_EQ(Read(written).randomness(), 1u);
  }
}

TEST(SamplingTraceState, TakesTheLastOfSeveral) {
  EXPECT_EQ(Read("ot=th:8;p:1,ot=p:2,a=b").ToString(), "ot=p:2,a=b");
}

TEST(SamplingTraceState, RefusesWhatIsMalformed) {
  for (const char* text : {"a", "=1", "A=1", "a=", "a=1=2", "1a=2", "a@1=2", "ot=th", "ot=th:", "ot=th:-1", "ot=rv:1",
                           "ot=th:abababababababab", "ot=th:8;", "ot=TH:8", "a=\x7f"}) {
    EXPECT_TRUE(IsMalformed(text)) << text;
  }
  EXPECT_TRUE(IsMalformed("a=" + std::string(257, 'x')));
  EXPECT_TRUE(IsMalformed(std::string(1025, ',')));
  std::string many = "a=1";
  for (int i = 1; i < 33; ++i) many += ",a=1";
  EXPECT_TRUE(IsMalformed(many));
}

}  // namespace
}  // namespace spanloom::pipeline
