// SPDX-License-Identifier: Apache-2.0
//
// A reader that follows the store while heads are exchanged, written and merged; and that nobody pays who has no
// reader.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "otlp/request.h"
#include "store/columnar/columnar_store.h"
#include "store/conformance/request_builder.h"
#include "store/conformance/store_conformance.h"
#include "store/disk/testing/simulated_disk.h"

namespace spanloom::store::columnar {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const FetchPlan kAll = {.wants_messages = true};

// All of one trace, unless it says otherwise.
SpanSpec SpanOf(uint64_t number, uint64_t trace = 1) {
  return {.trace_id = MakeTraceId(trace), .span_id = MakeSpanId(number), .start_unix_ns = 100 + number};
}

SpanSpec ChildOf(uint64_t parent, uint64_t number) {
  SpanSpec span = SpanOf(number);
  span.parent_span_id = MakeSpanId(parent);
  return span;
}

std::vector<uint64_t> NumbersOf(const SpanBatch& batch) {
  std::vector<uint64_t> numbers;
  for (const StoredSpan& span : batch.messages) numbers.push_back(NumberOf(span.span().span_id().view()));
  return numbers;
}

class ColumnarStoreTail : public testing::Test {
 protected:
  ColumnarStoreTail() {
    CHECK(disk_.CreateDirectory("/data").ok());
    Open();
  }

  // Opens the store, or another time. Nothing is written or merged unless it is told.
  void Open(const head::RecentLimits& limits = {}) {
    store_ = nullptr;
    auto opened = ColumnarStore::Open({.directory = "/data",
                                       .recent = limits,
                                       .compacts_by_itself = false,
                                       .compaction_bytes_per_second = uint64_t{1} << 40,
                                       .compaction = {.sources_min = 2, .growth = 1}},
                                      disk_, metrics_, clock_);
    CHECK(opened.ok());
    store_ = std::move(opened->store);
  }

  void Append(otlp::Batch batch) {
    Notification answered;
    store_->Append(std::move(batch), [&](const Status& answer) {
      EXPECT_TRUE(answer.ok()) << answer;
      answered.Notify();
    });
    answered.Wait();
  }
  void Append(const SpanSpec& span) { Append(RequestBuilder().FromService("service").Add(span).Build()); }
  void Flush() { ASSERT_TRUE(store_->Flush().ok()); }
  void Compact() { ASSERT_TRUE(store_->Compact().ok()); }

  // Goes to the end; from now on what comes is read.
  void Begin() { position_ = store_->Tail({}, std::nullopt, 1)->next; }
  // What has come since the last time.
  TailBatch Read(const FetchPlan& plan, size_t spans_max = 1'000) {
    auto batch = store_->Tail(plan, position_, spans_max);
    EXPECT_TRUE(batch.ok()) << batch.status();
    if (!batch.ok()) return {};
    position_ = batch->next;
    return *std::move(batch);
  }
  std::vector<uint64_t> ReadNumbers(const FetchPlan& plan = kAll) { return NumbersOf(Read(plan).spans); }

  SimClock clock_;
  MetricRegistry metrics_;
  disk::SimulatedDisk disk_;
  std::unique_ptr<ColumnarStore> store_;
  TailPosition position_;
};

// Scenario: spans of one trace and of others come to two heads and the segments that become of them, which are merged;
// the reader asks in between, and at the end.
// Guarantees: each comes once, in order of arrival, wherever it lies by then.
TEST_F(ColumnarStoreTail, FollowsThroughFlushesAndMerges) {
  Append(SpanOf(1));
  Begin();
  Append(SpanOf(9));
  Append(SpanOf(2, 2));
  Flush();
  EXPECT_THAT(ReadNumbers(), ElementsAre(9, 2));
  Append(SpanOf(3));
  Flush();
  Compact();
  Append(SpanOf(8));
  EXPECT_THAT(ReadNumbers(), ElementsAre(3, 8));
  Flush();
  Compact();
  EXPECT_THAT(ReadNumbers(), IsEmpty());
}

// Scenario: spans come again whose first copy lies in a merged segment, in another one, in the head; one of them with
// another origin.
// Guarantees: they are not new; that one is.
TEST_F(ColumnarStoreTail, WhatIsStoredAlreadyIsNotNew) {
  Append(SpanOf(1));
  Flush();
  Append(SpanOf(2));
  Flush();
  Compact();
  Append(SpanOf(3));
  Flush();
  Begin();
  Append(SpanOf(4));
  for (uint64_t i = 1; i <= 4; ++i) Append(SpanOf(i));
  Append(RequestBuilder().FromService("other").Add(SpanOf(1)).Build());
  EXPECT_THAT(ReadNumbers(), ElementsAre(4, 1));
  EXPECT_EQ(store_->Stats().spans_duplicate, 4);
}

// Scenario: a root in a segment, its child in another one, the grandchild in the head; then another one that is flushed
// before it is read. Conditions and columns about the trace and the place in it.
// Guarantees: they are asked of the whole trace, wherever the span and its parents lie.
TEST_F(ColumnarStoreTail, AsksTheWholeTrace) {
  SpanSpec root = SpanOf(1);
  root.name = "root";
  Append(root);
  Flush();
  Append(ChildOf(1, 2));
  Flush();
  Begin();
  const FetchPlan plan = {
      .spansets = {Is(Intrinsic::kTraceRootName, Value::String("root"))},
      .fields = {Field::Of(Intrinsic::kTraceSpanCount), Field::Of(Intrinsic::kNestedSetParent)},
      .wants_messages = true,
      .wants_structure = true,
  };
  const auto expect_in_its_place = [&](const TailBatch& batch, uint64_t number, uint32_t spans) {
    ASSERT_THAT(NumbersOf(batch.spans), ElementsAre(number));
    EXPECT_EQ(batch.spans.traces.at(0).span_count, spans);
    EXPECT_EQ(batch.spans.columns.at(0).First(0).int_value(), spans);
    EXPECT_EQ(batch.spans.columns.at(1).First(0).int_value(), 2);  // the child, behind the root
    EXPECT_FALSE(batch.spans.places.at(0).is_orphan);
  };
  Append(ChildOf(2, 3));
  Append(SpanOf(3, 2));
  expect_in_its_place(Read(plan), 3, 3);
  Append(ChildOf(2, 4));
  Flush();
  expect_in_its_place(Read(plan), 4, 4);
}

// Scenario: traces of which parts lie in two segments and the head, in one segment, in the head alone.
// Guarantees: a plan about spans alone says how many spans each trace has, too.
TEST_F(ColumnarStoreTail, SaysHowManySpansTheTraceHas) {
  const auto span_count = [&] { return Read(kAll).spans.traces.at(0).span_count; };
  Append(SpanOf(1));
  Flush();
  Append(SpanOf(2));
  Flush();
  Begin();
  Append(SpanOf(3));
  EXPECT_EQ(span_count(), 3);
  Append(SpanOf(4, 2));
  EXPECT_EQ(span_count(), 1);
  Append(SpanOf(5, 3));
  Append(SpanOf(6, 3));
  Flush();
  EXPECT_EQ(span_count(), 2);
}

// Scenario: requests come, and go to segments, while nobody follows; while somebody does; after a minute without a
// question. The next tick of the store is when the next batch comes.
// Guarantees: requests are kept in memory in the second case alone; the reader is told what it missed, and goes on.
TEST_F(ColumnarStoreTail, KeepsRequestsWhileAnybodyFollows) {
  const auto append_and_flush = [&](uint64_t number) {
    const Bytes encoded = RequestBuilder().FromService("service").Add(SpanOf(number)).Build().Encode();
    auto request = std::make_shared<const std::string>(encoded.view());
    Append(otlp::Batch(*otlp::ReadTraces(Bytes(request, *request))));
    Flush();
    return std::weak_ptr(request);
  };
  const auto unfollowed = append_and_flush(1);
  Append(SpanOf(2));  // the log thread is done with the one before
  EXPECT_TRUE(unfollowed.expired());

  Begin();
  const auto followed = append_and_flush(3);
  Append(SpanOf(4));
  EXPECT_FALSE(followed.expired());

  clock_.Advance(std::chrono::nanoseconds(head::FollowedSpans::kPatience).count());
  Append(SpanOf(5));
  EXPECT_TRUE(followed.expired());
  TailBatch batch = Read(kAll);
  EXPECT_THAT(NumbersOf(batch.spans), IsEmpty());
  EXPECT_EQ(batch.spans_missed, 3);
  Append(SpanOf(6));
  batch = Read(kAll);
  EXPECT_THAT(NumbersOf(batch.spans), ElementsAre(6));
  EXPECT_EQ(batch.spans_missed, 0);
}

// Scenario: more spans than may be kept, over a flush.
// Guarantees: the reader is told how many it missed, and gets the rest.
TEST_F(ColumnarStoreTail, SaysWhatItMissed) {
  Open({.spans_max = 2});
  Begin();
  Append(SpanOf(1));
  Append(SpanOf(2));
  Flush();
  Append(SpanOf(3));
  const TailBatch batch = Read(kAll);
  EXPECT_THAT(NumbersOf(batch.spans), ElementsAre(2, 3));
  EXPECT_EQ(batch.spans_missed, 1);
}

// Scenario: a position of before a restart, which leaves more spans in the log than the position says.
// Guarantees: kInvalidArgument, though the number would do.
TEST_F(ColumnarStoreTail, RefusesPositionsOfAnotherStart) {
  Begin();
  Append(SpanOf(1));
  Open();
  EXPECT_TRUE(absl::IsInvalidArgument(store_->Tail(kAll, position_, 1).status()));
}

// Scenario: a trace lies in a segment and in the head, and is purged by a condition about it; one of its spans comes
// again afterwards.
// Guarantees: the reader gets that one once, and what is of other traces.
TEST_F(ColumnarStoreTail, WhatIsPurgedIsNotRead) {
  SpanSpec root = SpanOf(1);
  root.name = "secret";
  Append(root);
  Flush();
  Begin();
  Append(ChildOf(1, 2));
  Append(SpanOf(3, 2));
  Flush();
  Append(ChildOf(1, 4));
  Append(ChildOf(1, 5));
  const auto removed = store_->Purge({.where = Is(Intrinsic::kTraceRootName, Value::String("secret"))});
  ASSERT_TRUE(removed.ok()) << removed.status();
  EXPECT_EQ(removed->spans, 4);
  Append(ChildOf(1, 4));
  const TailBatch batch = Read(kAll);
  EXPECT_THAT(NumbersOf(batch.spans), ElementsAre(3, 4));
  EXPECT_EQ(batch.spans_missed, 0);
}

// Scenario: the segment with the rest of a trace is damaged.
// Guarantees: a plan about spans alone brings the span; one about traces leaves it out, and the damage is counted.
TEST_F(ColumnarStoreTail, LeavesOutWhatItCannotRead) {
  RequestBuilder builder;
  builder.FromService("service");
  for (uint64_t i = 1; i <= 8; ++i) builder.Add(SpanOf(i * i));  // values that do not follow from each other
  Append(builder.Build());
  Flush();
  Begin();
  Append(ChildOf(1, 100));
  Append(SpanOf(101, 2));
  const std::string path = "/data/segments/0000000000000001.seg";
  std::string content = disk_.Content(path);
  content[20] = static_cast<char>(~content[20]);  // behind the header
  disk_.SetContent(path, content);
  const TailPosition begin = position_;
  EXPECT_THAT(ReadNumbers(), ElementsAre(100, 101));
  position_ = begin;
  const FetchPlan about_traces = {.fields = {Field::Of(Intrinsic::kTraceRootName)}, .wants_messages = true};
  EXPECT_THAT(ReadNumbers(about_traces), ElementsAre(101));
  EXPECT_EQ(metrics_.Sum("spanloom_store_damaged_parts"), 1);
}

}  // namespace
}  // namespace spanloom::store::columnar
