// SPDX-License-Identifier: Apache-2.0

#include "pipeline/sampling/w3c_trace_state.h"

#include <gtest/gtest.h>

#include <string>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

TEST(FindInTraceState, FindsTheValueOfAKey) {
  EXPECT_EQ(FindInTraceState("a=1,b=2", "b"), "2");
  EXPECT_EQ(FindInTraceState(" a=1 ,\t@b/c*=x y ,", "@b"), std::nullopt) << "keys do not begin with @";
  EXPECT_EQ(FindInTraceState(" 0a@b-c_*/=x y ,,b=2", "0a@b-c_*/"), "x y");
  EXPECT_EQ(FindInTraceState("a=1", "b"), std::nullopt);
  EXPECT_EQ(FindInTraceState("", "a"), std::nullopt);
}

// Scenario: something is wrong behind or before what is asked for.
// Guarantees: nothing is found.
TEST(FindInTraceState, TakesNothingFromAMalformedOne) {
  EXPECT_EQ(FindInTraceState("a=1,b", "a"), std::nullopt);
  EXPECT_EQ(FindInTraceState("A=1,a=1", "a"), std::nullopt);
  EXPECT_EQ(FindInTraceState("a=1=2,b=1", "b"), std::nullopt);
  EXPECT_EQ(FindInTraceState("a=1,a=1", "a"), std::nullopt);
  EXPECT_EQ(FindInTraceState("a=,b=1", "b"), std::nullopt);
  EXPECT_EQ(FindInTraceState(StrCat(std::string(257, 'a'), "=1,b=1"), "b"), std::nullopt);
  std::string members;
  for (int i = 0; i < 32; ++i) StrAppend(members, "k", i, "=v,");
  EXPECT_EQ(FindInTraceState(members, "k0"), "v");
  EXPECT_EQ(FindInTraceState(StrCat(members, "z=v"), "k0"), std::nullopt);
}

}  // namespace
}  // namespace spanloom::pipeline
