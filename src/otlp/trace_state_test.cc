// SPDX-License-Identifier: Apache-2.0

#include "otlp/trace_state.h"

#include <gtest/gtest.h>

#include <string>

#include "base/text.h"

namespace spanloom::otlp {
namespace {

std::optional<std::string> Found(std::string_view text, std::string_view key) {
  const auto state = TraceState::Parse(text);
  if (!state) return "malformed";
  const auto value = state->Find(key);
  return value ? std::optional<std::string>(*value) : std::nullopt;
}

TEST(TraceState, FindsTheValueOfAKey) {
  EXPECT_EQ(Found("a=1,b=2", "b"), "2");
  EXPECT_EQ(Found(" 0a@b-c_*/=x y ,,b=2", "0a@b-c_*/"), "x y");
  EXPECT_EQ(Found("a= 1\t,b=2", "a"), " 1");
  EXPECT_EQ(Found("a=1", "b"), std::nullopt);
  EXPECT_EQ(Found("", "a"), std::nullopt);
}

// Scenario: something is wrong behind or before what is asked for.
// Guarantees: the whole is malformed.
TEST(TraceState, TakesNothingFromAMalformedOne) {
  for (const char* text : {"a=1,b", "A=1,a=1", "a=1=2,b=1", "a=1,a=1", "a=,b=1", "\t@b/c*=x,a=1", "0a=1", "a@0b=1",
                           "a@=1", "a =1", "a=1, ", "a=\x7f", "a=\xc3\xa9"}) {
    EXPECT_FALSE(TraceState::Parse(text)) << text;
  }
  EXPECT_TRUE(TraceState::Parse(StrCat(std::string(256, 'a'), "=", std::string(256, 'v'))));
  EXPECT_FALSE(TraceState::Parse(StrCat(std::string(257, 'a'), "=1")));
  EXPECT_FALSE(TraceState::Parse(StrCat("a=", std::string(257, 'v'))));
  EXPECT_TRUE(TraceState::Parse(StrCat(std::string(241, 'a'), "@", std::string(14, 'b'), "=1")));
  EXPECT_FALSE(TraceState::Parse(StrCat(std::string(242, 'a'), "@b=1")));
  EXPECT_FALSE(TraceState::Parse(StrCat("a@", std::string(15, 'b'), "=1")));
}

TEST(TraceState, PutsAMemberInFront) {
  const auto state = *TraceState::Parse(" a=1 ,b=2,c=3");
  EXPECT_EQ(state.With("b", "x"), "b=x,a=1,c=3");
  EXPECT_EQ(state.With("d", "x"), "d=x,a=1,b=2,c=3");
  EXPECT_EQ(state.With("D", "x"), std::nullopt);
  EXPECT_EQ(state.With("d", "x=y"), std::nullopt);
  EXPECT_EQ(state.With("d", ""), std::nullopt);
}

// Scenario: 32 members, as many as there may be, and one more is set.
// Guarantees: the last one goes; of 33 none is read.
TEST(TraceState, HasAtMostThirtyTwoMembers) {
  std::string members;
  for (int i = 0; i < 32; ++i) StrAppend(members, "k", i, "=v,");
  const std::string with = TraceState::Parse(members)->With("z", "v").value_or("");
  EXPECT_TRUE(with.starts_with("z=v,k0=v,") && with.ends_with(",k30=v")) << with;
  EXPECT_FALSE(TraceState::Parse(StrCat(members, "z=v")));
}

}  // namespace
}  // namespace spanloom::otlp
