// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/parts/split_traces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "store/columnar/parts/parts_table.h"
#include "store/conformance/request_builder.h"

namespace spanloom::store::columnar {
namespace {

using testing::ElementsAre;

const otlp::TraceId kTrace = MakeTraceId(1);
const otlp::TraceId kOther = MakeTraceId(2);

// Scenario: traces come to further parts, some of which are merged, some removed.
// Guarantees: the excess is that of the parts there are; what is whole again stays known until it is dropped.
TEST(SplitTraces, CountPartsBesideTheFirst) {
  SplitTraces split;
  split.Add(kTrace);
  EXPECT_EQ(split.excess(), 0);
  split.AddParts(kTrace, 1);
  split.AddParts(kTrace, 2);
  split.AddParts(kOther, 1);
  EXPECT_EQ(split.excess(), 4);
  split.Join(std::vector<JoinedTrace>{{.id = kTrace, .parts_fewer = 2}, {.id = kOther, .parts_fewer = 1}});
  EXPECT_EQ(split.excess(), 1);
  EXPECT_THAT(split.MarkWhole(std::vector{kTrace, kOther}, 1), ElementsAre(kOther));
  EXPECT_TRUE(split.Contains(kOther));
  split.Drop(std::vector{kTrace, kOther}, 1);
  EXPECT_TRUE(split.Contains(kTrace));
  EXPECT_FALSE(split.Contains(kOther));
  split.ForgetParts(kTrace);
  EXPECT_EQ(split.excess(), 0);
}

// Scenario: a trace is whole again, and gets a span in another part before it is dropped.
// Guarantees: it stays.
TEST(SplitTraces, KeepWhatIsAddedAgain) {
  SplitTraces split;
  split.AddParts(kTrace, 1);
  split.Join(std::vector<JoinedTrace>{{.id = kTrace, .parts_fewer = 1}});
  EXPECT_THAT(split.MarkWhole(std::vector{kTrace}, 1), ElementsAre(kTrace));
  split.Add(kTrace);
  split.Drop(std::vector{kTrace}, 1);
  EXPECT_TRUE(split.Contains(kTrace));
}

// Scenario: a trace becomes whole while a question reads parts of before.
// Guarantees: it is known as split until the question ends, and until an older one does.
TEST(PartsTable, KnowsSplitsAsLongAsPartsAreRead) {
  PartsTable table;
  table.split().Add(kTrace);
  table.split().Add(kOther);
  auto oldest = std::make_unique<Parts>(table.Now());
  table.ForgetSplits(std::vector{kTrace});
  auto older = std::make_unique<Parts>(table.Now());
  table.ForgetSplits(std::vector{kOther});
  const Parts now = table.Now();
  EXPECT_EQ(table.split().size(), 2);
  older = nullptr;
  table.FinishFull(nullptr);
  EXPECT_EQ(table.split().size(), 2);
  oldest = nullptr;
  table.FinishFull(nullptr);
  EXPECT_EQ(table.split().size(), 0);
}

}  // namespace
}  // namespace spanloom::store::columnar
