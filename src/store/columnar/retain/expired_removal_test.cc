// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/retain/expired_removal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/columnar/parts/segment_directory.h"
#include "store/conformance/request_builder.h"
#include "store/disk/testing/simulated_disk.h"
#include "store/head/incoming.h"

namespace spanloom::store::columnar {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr RetentionPolicy kAllGo = {.age_max_ns = 1};
constexpr uint64_t kNow = 1'000'000;

class ExpiredRemovalTest : public testing::Test {
 protected:
  // Spans of that many traces, from number `first` on, in the filling head. `span` tells those of a trace apart.
  void AddTraces(uint64_t first, uint64_t count, uint64_t span = 1) {
    RequestBuilder request;
    request.FromService("s");
    for (uint64_t i = first; i < first + count; ++i) {
      request.Add({.trace_id = MakeTraceId(i), .span_id = MakeSpanId(span), .start_unix_ns = i, .end_unix_ns = i + 1});
    }
    head::IncomingBatch batch = head::SplitByTrace(request.Build());
    head::RecentSpans nobody_follows({});
    head::RemovedTraces removed;
    const Parts parts = table_.Now();
    const MutexLock lock(parts.filling->mutex);
    parts.filling->table.Add(batch, nobody_follows, removed);
  }

  // What fills becomes a segment.
  void Flush() {
    ASSERT_TRUE(table_.ExchangeHeads());
    const uint64_t id = segments_.NextId();
    auto segment = segments_.WriteFile({.id = id, .arrival = id}, [&](SegmentBuilder& builder) -> Status {
      const Parts parts = table_.Now();
      const MutexLock lock(parts.full->mutex);
      for (const head::StoredTrace* const trace : parts.full->table.by_arrival()) {
        Trace whole = {.id = trace->id, .spans = {}};
        trace->spans.ForEach([&](const StoredSpan& span) {
          whole.spans.push_back(span);
          return true;
        });
        builder.Add(whole, trace->version);
      }
      return absl::OkStatus();
    });
    ASSERT_TRUE(segment.ok()) << segment.status();
    ASSERT_TRUE(segments_
                    .Commit({.added = {{.row = (*segment)->row(), .trace_filter = {}}},
                             .removed = {},
                             .log_position = std::nullopt})
                    .ok());
    table_.FinishFull(*segment);
  }

  void Find(const RetentionPolicy& policy = kAllGo) {
    seen_ = table_.Now();
    auto expired = FindExpired(seen_, table_.split(), policy, kNow, {});
    ASSERT_TRUE(expired.ok()) << expired.status();
    expired_ = *std::move(expired);
  }

  // Removes what was found, and returns the numbers of the traces that went.
  std::vector<uint64_t> Remove() {
    removal_.emplace(seen_, table_);
    removal_->Remove(expired_.traces, 0);
    std::vector<uint64_t> numbers;
    for (const otlp::TraceId& id : removal_->ids()) numbers.push_back(static_cast<uint8_t>(id.bytes.back()));
    return numbers;
  }

  SimClock clock_;
  static std::unique_ptr<disk::SimulatedDisk> NewDisk() {
    auto disk = std::make_unique<disk::SimulatedDisk>();
    CHECK(disk->CreateDirectory("/data").ok());
    CHECK(disk->CreateDirectory("/data/segments").ok());
    return disk;
  }

  const std::unique_ptr<disk::SimulatedDisk> disk_ = NewDisk();
  catalogue::Catalogue catalogue_ = *catalogue::Catalogue::Open(*disk_, "/data", clock_, catalogue::IfMissing::kCreate);
  SegmentDirectory segments_{*disk_, "/data", catalogue_, clock_};
  PartsTable table_;
  Parts seen_;
  Expired expired_;
  std::optional<ExpiredRemoval> removal_;
};

// Guarantees: traces go from segments and heads; a segment of which nothing is left is named, another has the rest.
TEST_F(ExpiredRemovalTest, RemovesFromAllParts) {
  AddTraces(1, 2);
  Flush();
  AddTraces(3, 2);
  Flush();
  AddTraces(5, 1);
  Find({.age_max_ns = kNow - 4});  // what started before 4
  EXPECT_THAT(Remove(), ElementsAre(1, 2, 3));
  EXPECT_EQ(removal_->removed().spans, 3);
  EXPECT_GT(removal_->removed().bytes, 0);
  ASSERT_EQ(removal_->emptied().size(), 1);
  const Parts parts = table_.Now();
  ASSERT_EQ(parts.segments.size(), 1);
  EXPECT_EQ(parts.segments[0]->traces_left(), 1);
  EXPECT_EQ(parts.segments[0]->GoneIn(0), Gone::kSome);
  Find();
  EXPECT_THAT(Remove(), ElementsAre(4, 5));
  EXPECT_EQ(table_.Now().segments.size(), 0);
}

// Scenario: a trace of a segment gets a span after it was found, and before it is removed.
// Guarantees: it stays whole.
TEST_F(ExpiredRemovalTest, LeavesATraceThatGotASpan) {
  AddTraces(1, 2);
  Flush();
  Find();
  table_.split().AddParts(MakeTraceId(2), 1);
  AddTraces(2, 1, 2);
  EXPECT_THAT(Remove(), ElementsAre(1));
  EXPECT_EQ(table_.Now().segments[0]->traces_left(), 1);
}

// Scenario: a trace that lies in two parts gets a span in a third.
TEST_F(ExpiredRemovalTest, LeavesASplitTraceThatGotASpan) {
  AddTraces(1, 2);
  Flush();
  for (const uint64_t number : {1, 2}) table_.split().AddParts(MakeTraceId(number), 1);
  AddTraces(1, 2, 2);
  Find();
  ASSERT_TRUE(table_.ExchangeHeads());
  AddTraces(2, 1, 3);
  EXPECT_THAT(Remove(), ElementsAre(1));
}

// Scenario: the head that had a trace becomes a segment meanwhile; of another trace the part in a segment does not.
TEST_F(ExpiredRemovalTest, LeavesATraceWhoseHeadIsASegmentNow) {
  AddTraces(1, 1);
  Flush();
  AddTraces(2, 1);
  Find();
  Flush();
  EXPECT_THAT(Remove(), ElementsAre(1));
  EXPECT_EQ(table_.Now().segments.size(), 1);
}

// Scenario: a head gets a span of a trace that it has already.
TEST_F(ExpiredRemovalTest, LeavesATraceOfAHeadThatGotASpan) {
  AddTraces(1, 2);
  Find();
  AddTraces(2, 1, 2);
  EXPECT_THAT(Remove(), ElementsAre(1));
}

// Scenario: a segment is replaced by another one meanwhile.
TEST_F(ExpiredRemovalTest, LeavesATraceWhoseSegmentIsReplaced) {
  AddTraces(1, 1);
  Flush();
  Find();
  AddTraces(1, 1);
  Flush();
  table_.Replace(*seen_.segments[0], nullptr);
  EXPECT_THAT(Remove(), IsEmpty());
  EXPECT_EQ(table_.Now().segments.size(), 1);
}

TEST_F(ExpiredRemovalTest, LeavesWhatIsYoung) {
  AddTraces(2, 3);
  Flush();
  Find({.age_max_ns = kNow - 2});
  EXPECT_THAT(expired_.traces, IsEmpty());
  EXPECT_TRUE(expired_.is_all);
}

}  // namespace
}  // namespace spanloom::store::columnar
