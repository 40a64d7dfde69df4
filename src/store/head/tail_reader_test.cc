// SPDX-License-Identifier: Apache-2.0
//
// Reading behind a position, from a source of traces that says what it was asked. What a reader gets:
// store/conformance.

#include "store/head/tail_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/conformance/request_builder.h"
#include "store/conformance/store_conformance.h"

namespace spanloom::store::head {
namespace {

using testing::ElementsAre;

// Traces as a test wants them, each copied when it is read, as from a disk.
class FakeTraces final : public TraceSource {
 public:
  void Add(const otlp::TraceId& id, const StoredSpan& span) { traces_[id].push_back(span); }
  void Remove(const otlp::TraceId& id) { traces_.erase(id); }
  void Damage(const otlp::TraceId& id) { damaged_ = id; }

  StatusOr<std::shared_ptr<const void>> Read(const otlp::TraceId& id, scan::TraceReading& reading,
                                             scan::ReadMeter& meter) override {
    ++reads_;
    if (id == damaged_) return nullptr;
    const std::shared_ptr<std::vector<StoredSpan>> spans(new std::vector<StoredSpan>(), [this](const auto* ended) {
      --held_;
      delete ended;
    });
    for (const StoredSpan& span : traces_[id]) {
      spans->push_back({.wire = Bytes::CopyOf(span.wire.view()), .origin = span.origin});
    }
    held_max_ = std::max(held_max_, ++held_);
    RETURN_IF_ERROR(reading.Read(id, *spans, meter));
    return spans;
  }
  StatusOr<size_t> CountSpans(const otlp::TraceId& id) override { return traces_[id].size(); }

  [[nodiscard]] int reads() const { return reads_; }
  [[nodiscard]] int held_max() const { return held_max_; }  // traces, at a time

 private:
  std::map<otlp::TraceId, std::vector<StoredSpan>> traces_;
  otlp::TraceId damaged_ = MakeTraceId(404);
  int reads_ = 0;
  int held_ = 0;
  int held_max_ = 0;
};

class TailReaderTest : public testing::Test {
 protected:
  // A span comes, with an attribute of so many bytes.
  void Add(uint64_t trace, uint64_t number, size_t bytes = 1) {
    const SpanSpec spec = {.trace_id = MakeTraceId(trace),
                           .span_id = MakeSpanId(number),
                           .start_unix_ns = number,
                           .attributes = {{"text", std::string(bytes, 'x')}}};
    const StoredSpan span = {.wire = Bytes(Encode(spec)), .origin = origin_};
    recent_.Add(bytes, [&](RecentSpans& recent) { recent.Add(spec.trace_id, {&span, 1}); });
    traces_.Add(spec.trace_id, span);
  }
  StatusOr<TailBatch> Read(const FetchPlan& plan) { return ReadTail(plan, begin_, 100, recent_, traces_, clock_); }

  // Of an answer that must be one.
  static std::vector<uint64_t> NumbersOf(const StatusOr<TailBatch>& batch) {
    EXPECT_TRUE(batch.ok()) << batch.status();
    std::vector<uint64_t> numbers;
    if (!batch.ok()) return numbers;
    for (const StoredSpan& span : batch->spans.messages) numbers.push_back(NumberOf(span.span().span_id().view()));
    return numbers;
  }

  // Asks for what is only known of the whole trace.
  const FetchPlan about_traces_ = {.fields = {Field::Of(Intrinsic::kTraceSpanCount)}, .wants_messages = true};

  SimClock clock_;
  FollowedSpans recent_{{}, clock_};
  const TailPosition begin_ = recent_.Begin();
  FakeTraces traces_;
  const std::shared_ptr<const SpanOrigin> origin_ = std::make_shared<const SpanOrigin>();
};

// Scenario: spans of two traces come in turn; a plan about spans, and one about traces.
// Guarantees: no trace is read for the first, each one once for the second.
TEST_F(TailReaderTest, ReadsTracesIfItMustAndOnce) {
  for (uint64_t i = 1; i <= 6; ++i) Add(i % 2, i);
  EXPECT_THAT(NumbersOf(Read({.wants_messages = true})), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(traces_.reads(), 0);
  EXPECT_THAT(NumbersOf(Read(about_traces_)), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(traces_.reads(), 2);
}

// Scenario: spans of four large traces come in turn; a question may hold one and a half of them.
// Guarantees: two are held at most; they are read again as needed, and the answer is right.
TEST_F(TailReaderTest, HoldsNoMoreTracesThanAQuestionMay) {
  for (uint64_t trace = 0; trace < 4; ++trace) Add(trace, 100 + trace, 10'000);
  for (uint64_t i = 1; i <= 12; ++i) Add(i % 4, i);
  FetchPlan plan = about_traces_;
  plan.starts = {.begin_unix_ns = 0, .end_unix_ns = 100};
  plan.limits.bytes_max = 15'000;
  const auto batch = Read(plan);
  EXPECT_THAT(NumbersOf(batch), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
  for (size_t row = 0; row < batch->spans.rows(); ++row) {
    EXPECT_EQ(batch->spans.columns.at(0).First(row).int_value(), 4);
  }
  EXPECT_EQ(traces_.held_max(), 2);
}

// Scenario: a trace is gone before it is read, another one can't be read.
// Guarantees: spans of the first are looked at alone; spans of the second come only if nothing is asked of their trace.
TEST_F(TailReaderTest, DoesWithoutTracesThatAreGone) {
  Add(1, 1);
  Add(1, 2);
  Add(2, 3);
  traces_.Remove(MakeTraceId(1));
  traces_.Damage(MakeTraceId(2));
  const auto batch = Read(about_traces_);
  EXPECT_THAT(NumbersOf(batch), ElementsAre(1, 2));
  EXPECT_EQ(batch->spans.traces.at(0).span_count, 1);
  EXPECT_THAT(NumbersOf(Read({.wants_messages = true})), ElementsAre(1, 2, 3));
}

// Scenario: spans that exceed what an answer may hold together; one that does alone.
// Guarantees: the answer ends, and the reader comes back for the rest; kResourceExhausted.
TEST_F(TailReaderTest, EndsAnAnswerThatIsLarge) {
  for (uint64_t i = 1; i <= 3; ++i) Add(1, i, 1'000);
  FetchPlan plan = {.wants_messages = true, .limits = {.bytes_max = 2'000}};
  const auto batch = Read(plan);
  EXPECT_THAT(NumbersOf(batch), ElementsAre(1, 2));
  EXPECT_THAT(NumbersOf(ReadTail(plan, batch->next, 100, recent_, traces_, clock_)), ElementsAre(3));
  plan.limits.bytes_max = 500;
  EXPECT_TRUE(absl::IsResourceExhausted(Read(plan).status()));
}

}  // namespace
}  // namespace spanloom::store::head
