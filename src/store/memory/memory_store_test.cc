// SPDX-License-Identifier: Apache-2.0
//
// What is the memory store's own: its limits. What every store does: store/conformance.

#include "store/memory/memory_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>

#include "base/mutex.h"
#include "base/testing/jumping_clock.h"
#include "base/text.h"
#include "store/conformance/request_builder.h"
#include "store/conformance/store_conformance.h"

namespace spanloom::store::memory {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

SpanSpec SpanOf(uint64_t trace, uint64_t span) {
  return {.trace_id = MakeTraceId(trace), .span_id = MakeSpanId(span), .start_unix_ns = span};
}

class MemoryStoreTest : public testing::Test {
 protected:
  void MakeStore(const MemoryStoreOptions& options) { store_.emplace(options, metrics_); }
  Status Append(otlp::Batch batch) {
    Status result;
    Notification is_done;
    store_->Append(std::move(batch), [&](const Status& status) {
      result = status;
      is_done.Notify();
    });
    is_done.Wait();
    return result;
  }
  Status Append(const SpanSpec& span) { return Append(RequestBuilder().FromService("s").Add(span).Build()); }
  [[nodiscard]] bool Has(uint64_t trace) const { return store_->GetTrace(MakeTraceId(trace), {}, {}).ok(); }

  MetricRegistry metrics_;
  std::optional<MemoryStore> store_;
};

// Scenario: room for two traces; the older of two gets another span, then a third trace comes.
// Guarantees: the trace whose last span arrived longest ago goes, whole, and its spans are counted.
TEST_F(MemoryStoreTest, EvictsTheTraceThatWasAddedToLongestAgo) {
  MakeStore({.traces_max = 2});
  ASSERT_TRUE(Append(SpanOf(1, 1)).ok());
  ASSERT_TRUE(Append(SpanOf(2, 2)).ok());
  ASSERT_TRUE(Append(SpanOf(2, 3)).ok());
  ASSERT_TRUE(Append(SpanOf(1, 4)).ok());
  ASSERT_TRUE(Append(SpanOf(3, 5)).ok());
  EXPECT_TRUE(Has(1));
  EXPECT_FALSE(Has(2));
  EXPECT_TRUE(Has(3));
  EXPECT_EQ(store_->Stats().spans_evicted, 2);
  EXPECT_EQ(store_->Stats().spans, 3);
}

// Scenario: traces of one service each, under a limit on spans.
// Guarantees: names of services and operations go with their last trace, and the index has no trace of it.
TEST_F(MemoryStoreTest, NamesGoWithTheirTraces) {
  MakeStore({.spans_max = 2});
  for (uint64_t i = 1; i <= 4; ++i) {
    ASSERT_TRUE(Append(RequestBuilder().FromService(StrCat("s", i)).Add(SpanOf(i, i)).Build()).ok());
  }
  EXPECT_THAT(*store_->Services({}), ElementsAre(ServiceName{"s3", 1}, ServiceName{"s4", 1}));
  EXPECT_TRUE(store_->Operations("s1", {})->empty());
  EXPECT_EQ(FetchTraces(*store_, {})->size(), 2);
  EXPECT_TRUE(FetchTraces(*store_, {.spansets = {Is(Intrinsic::kService, Value::String("s1"))}})->empty());
}

// Scenario: an operation of two traces, one of which is evicted; then the other.
// Guarantees: an operation stays as long as a trace has it.
TEST_F(MemoryStoreTest, AnOperationStaysAsLongAsATraceHasIt) {
  MakeStore({.traces_max = 2});
  ASSERT_TRUE(Append(SpanOf(1, 1)).ok());
  ASSERT_TRUE(Append(SpanOf(2, 2)).ok());
  SpanSpec other = SpanOf(3, 3);
  other.name = "other";
  ASSERT_TRUE(Append(other).ok());
  EXPECT_EQ(store_->Operations("s", {})->size(), 2);
  other = SpanOf(4, 4);
  other.name = "other";
  ASSERT_TRUE(Append(other).ok());
  EXPECT_THAT(*store_->Operations("s", {}), ElementsAre(OperationName{{.name = "other"}, 2}));
}

// Scenario: one trace reaches the span limit of the whole store; more of it comes, with a span of another trace.
// Guarantees: what the large trace has stays, the rest of it is refused for good and counted; the other trace is taken,
// for which the large one, the oldest, has to go.
TEST_F(MemoryStoreTest, RefusesWhatATraceAloneCannotHold) {
  MakeStore({.spans_max = 2});
  ASSERT_TRUE(Append(SpanOf(1, 1)).ok());
  ASSERT_TRUE(Append(SpanOf(1, 2)).ok());
  const Status refused = Append(SpanOf(1, 3));
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(IsRetryable(refused));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("1 of 1 spans"));
  EXPECT_EQ(store_->GetTrace(MakeTraceId(1), {}, {})->spans.size(), 2);

  EXPECT_FALSE(Append(RequestBuilder().FromService("s").Add(SpanOf(1, 3)).Add(SpanOf(2, 4)).Build()).ok());
  EXPECT_TRUE(Has(2));
  EXPECT_FALSE(Has(1));
  EXPECT_EQ(metrics_.Sum("spanloom_store_refused_spans", {{"cause", "trace_too_large"}}), 2);
}

// Scenario: a span, and a resource, that are larger than the whole store.
// Guarantees: they are refused, and no empty trace is left behind.
TEST_F(MemoryStoreTest, RefusesASpanThatIsLargerThanTheStore) {
  MakeStore({.bytes_max = 1'000});
  SpanSpec large = SpanOf(1, 1);
  large.name = std::string(1'001, 'x');
  EXPECT_EQ(Append(large).code(), absl::StatusCode::kResourceExhausted);
  const otlp::Batch large_resource = RequestBuilder().FromService(std::string(1'001, 'x')).Add(SpanOf(1, 1)).Build();
  EXPECT_EQ(Append(large_resource).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(store_->Stats().traces, 0);
  EXPECT_EQ(store_->Stats().bytes, 0);
  EXPECT_TRUE(store_->Services({})->empty());
}

// Scenario: many spans of many traces under a limit on bytes; counts are taken after each.
// Guarantees: the limit holds after every append, and eviction takes no more than it must.
TEST_F(MemoryStoreTest, StaysWithinItsBytes) {
  constexpr size_t kBytesMax = 4'000;
  MakeStore({.bytes_max = kBytesMax});
  for (uint64_t i = 1; i <= 500; ++i) {
    ASSERT_TRUE(Append(SpanOf(i / 3, i)).ok());
    ASSERT_LE(store_->Stats().bytes, kBytesMax);
  }
  EXPECT_GT(store_->Stats().bytes, kBytesMax / 2);
  EXPECT_EQ(store_->Stats().spans + store_->Stats().spans_evicted, 500);
}

// Scenario: a hundred requests of one process, then all of its traces are evicted by another's.
// Guarantees: an origin counts once however often it is sent, and not at all when it is gone.
TEST_F(MemoryStoreTest, CountsAnOriginOnce) {
  MakeStore({.traces_max = 100});
  const std::string service(10'000, 'x');
  for (uint64_t i = 1; i <= 100; ++i) {
    ASSERT_TRUE(Append(RequestBuilder().FromService(service).Add(SpanOf(i, i)).Build()).ok());
  }
  EXPECT_GT(store_->Stats().bytes, 10'000);
  EXPECT_LT(store_->Stats().bytes, 20'000);
  EXPECT_EQ(store_->GetTrace(MakeTraceId(1), {}, {})->spans[0].origin,
            store_->GetTrace(MakeTraceId(2), {}, {})->spans[0].origin);
  for (uint64_t i = 101; i <= 200; ++i) ASSERT_TRUE(Append(SpanOf(i, i)).ok());
  EXPECT_LT(store_->Stats().bytes, 10'000);
}

// Scenario: a request of two traces.
// Guarantees: what is stored lies outside the request, so that one span never keeps a whole request in memory; spans of
// one trace share an allocation.
TEST_F(MemoryStoreTest, CopiesSpansOutOfTheirRequest) {
  MakeStore({});
  const otlp::Batch batch =
      RequestBuilder().FromService("s").Add(SpanOf(1, 1)).Add(SpanOf(2, 2)).Add(SpanOf(1, 3)).Build();
  const std::string_view request = batch.slices()[0].wire().view();
  ASSERT_TRUE(Append(batch).ok());
  const std::vector<StoredSpan> spans = store_->GetTrace(MakeTraceId(1), {}, {})->spans;
  for (const StoredSpan& span : spans) {
    for (const char* stored : {span.wire.data(), span.origin->resource.data()}) {
      EXPECT_FALSE(std::less_equal<>()(request.data(), stored) &&
                   std::less<>()(stored, request.data() + request.size()));
    }
  }
  EXPECT_EQ(spans[0].wire.data() + spans[0].wire.size(), spans[1].wire.data());
}

// Scenario: spans are stored, others evicted, others sent again; the store ends.
// Guarantees: gauges and counters say what Stats says, and no gauge outlives the store.
TEST_F(MemoryStoreTest, MetricsSayWhatHappened) {
  MakeStore({.traces_max = 1});
  ASSERT_TRUE(Append(SpanOf(1, 1)).ok());
  ASSERT_TRUE(Append(SpanOf(2, 2)).ok());
  ASSERT_TRUE(Append(SpanOf(2, 2)).ok());
  const std::string page = metrics_.Render();
  EXPECT_THAT(page, HasSubstr("spanloom_store_spans 1\n"));
  EXPECT_THAT(page, HasSubstr("spanloom_store_traces 1\n"));
  EXPECT_THAT(page, HasSubstr(StrCat("spanloom_store_bytes ", store_->Stats().bytes, "\n")));
  EXPECT_EQ(metrics_.Sum("spanloom_store_evicted_spans"), 1);
  EXPECT_EQ(metrics_.Sum("spanloom_store_duplicate_spans"), 1);
  store_.reset();
  EXPECT_THAT(metrics_.Render(), testing::Not(HasSubstr("spanloom_store_spans 1")));
}

// Scenario: three spans come, and room in the list of recent spans for two.
// Guarantees: the reader is told how many it missed, and gets the rest.
TEST_F(MemoryStoreTest, TailSaysWhatItMissed) {
  MakeStore({.recent = {.spans_max = 2}});
  const TailPosition begin = store_->Tail({}, std::nullopt, 1)->next;
  for (uint64_t i = 1; i <= 3; ++i) ASSERT_TRUE(Append(SpanOf(i, i)).ok());
  const auto batch = store_->Tail({}, begin, 10);
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ(batch->spans_missed, 1);
  EXPECT_EQ(batch->spans.rows(), 2);
}

// Scenario: a policy is set; time passes; a span comes.
// Guarantees: the policy is applied after each batch, without being set again.
TEST_F(MemoryStoreTest, AppliesItsPolicyAfterEachBatch) {
  SimClock clock;
  store_.emplace(MemoryStoreOptions{}, metrics_, clock);
  const auto now = static_cast<uint64_t>(clock.UnixNs());
  ASSERT_TRUE(store_->SetRetention({.age_max_ns = 1'000}).ok());
  ASSERT_TRUE(Append({.trace_id = MakeTraceId(1), .span_id = MakeSpanId(1), .start_unix_ns = now}).ok());
  EXPECT_TRUE(Has(1));
  clock.Advance(2'000);
  ASSERT_TRUE(Append({.trace_id = MakeTraceId(2), .span_id = MakeSpanId(2), .start_unix_ns = now + 2'000}).ok());
  store_->Stop();  // the policy is applied after `done`
  EXPECT_FALSE(Has(1));
  EXPECT_TRUE(Has(2));
  EXPECT_EQ(metrics_.Sum("spanloom_store_expired_spans"), 1);
}

// Scenario: batches are appended, and the store is stopped at once; then more comes.
// Guarantees: what was taken is stored; later batches are told to come again, and questions are still answered.
TEST_F(MemoryStoreTest, DrainsWhenItStops) {
  MakeStore({});
  std::atomic<int> stored = 0;
  for (uint64_t i = 1; i <= 100; ++i) {
    store_->Append(RequestBuilder().FromService("s").Add(SpanOf(i, i)).Build(),
                   [&stored](const Status& status) { stored += status.ok() ? 1 : 0; });
  }
  auto late = store_->Reserve(RequestBuilder().FromService("s").Add(SpanOf(101, 101)).Build());
  ASSERT_TRUE(late.ok());
  store_->Stop();
  EXPECT_EQ(stored, 100);
  EXPECT_EQ(store_->Stats().spans, 100);
  EXPECT_EQ(Append(SpanOf(102, 102)).code(), absl::StatusCode::kUnavailable);
  Status status;
  (*late)->Commit(RequestBuilder().FromService("s").Add(SpanOf(101, 101)).Build(),
                  [&status](Status answer) { status = std::move(answer); });
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(RetryDelay(status).has_value());
}

// Scenario: a span of a purged trace comes again while other traces are kept; purging part of a trace of many blocks.
// Guarantees: what is left stays in order, with its duplicates known.
TEST_F(MemoryStoreTest, PurgesPartOfALargeTrace) {
  MakeStore({});
  for (uint64_t first = 0; first < 1'000; first += 100) {
    RequestBuilder builder;
    builder.FromService("s");
    for (uint64_t i = first + 1; i <= first + 100; ++i) builder.Add(SpanOf(1, i));
    ASSERT_TRUE(Append(builder.Build()).ok());
  }
  ASSERT_TRUE(store_->Purge({.starts = {200, 900}}).ok());
  const Trace trace = *store_->GetTrace(MakeTraceId(1), {}, {});
  ASSERT_EQ(trace.spans.size(), 300);
  EXPECT_EQ(trace.spans[198].span().start_unix_ns(), 199);
  EXPECT_EQ(trace.spans[199].span().start_unix_ns(), 900);
  ASSERT_TRUE(Append(SpanOf(1, 199)).ok());
  ASSERT_TRUE(Append(SpanOf(1, 200)).ok());
  EXPECT_EQ(store_->Stats().spans, 301);
  EXPECT_EQ(store_->Stats().spans_duplicate, 1);
}

// Scenario: limits of zero, and more spans than can be numbered.
// Guarantees: refused with the name of the option.
TEST(MemoryStoreOptions, AreValidated) {
  EXPECT_TRUE(MemoryStoreOptions{}.Validate().ok());
  EXPECT_EQ((MemoryStoreOptions{.traces_max = 0}).Validate().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ((MemoryStoreOptions{.spans_max = size_t{1} << 40}).Validate().code(), absl::StatusCode::kInvalidArgument);
}

// Scenario: traces are kept for an hour; the clock jumps a day ahead, and is set right again.
// Guarantees: nothing goes by that.
TEST_F(MemoryStoreTest, ForgetsNothingWhenTheClockJumps) {
  JumpingClock clock;
  store_.emplace(MemoryStoreOptions{}, metrics_, clock);
  ASSERT_TRUE(Append({.trace_id = MakeTraceId(1),
                      .span_id = MakeSpanId(1),
                      .start_unix_ns = static_cast<uint64_t>(clock.UnixNs())})
                  .ok());
  constexpr uint64_t kHourNs = 3'600ULL * 1'000'000'000;
  for (const int64_t offset_ns : {int64_t{0}, kDayNs, int64_t{0}}) {
    clock.Set(offset_ns);
    EXPECT_EQ(store_->SetRetention({.age_max_ns = kHourNs})->spans, 0U);
  }
  clock.Advance(kDayNs);
  EXPECT_EQ(store_->SetRetention({.age_max_ns = kHourNs})->spans, 1U);
  store_.reset();  // it looks at the clock until then
}

}  // namespace
}  // namespace spanloom::store::memory
