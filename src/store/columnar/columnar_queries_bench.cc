// SPDX-License-Identifier: Apache-2.0
//
// Times of questions to the embedded store on the load that stores are measured with. SPANLOOM_BENCH_SPANS says how
// many spans it holds, 1 million by default; all of them lie in segments.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/rng.h"
#include "base/text.h"
#include "semconv/names.h"
#include "store/columnar/testing/bench_store.h"
#include "store/disk/temporary_directory.h"
#include "store/head/incoming.h"

namespace spanloom::store::columnar {
namespace {

namespace gen_ai = semconv::gen_ai;
namespace llm_d = semconv::llm_d;

constexpr uint64_t kMinuteNs = 60'000'000'000;

size_t Requests() {
  const char* const spans = std::getenv("SPANLOOM_BENCH_SPANS");
  return (spans == nullptr ? 1'000'000 : std::strtoull(spans, nullptr, 10)) / 512 + 1;
}

// Made once.
struct LargeStore {
  disk::TemporaryDirectory directory = disk::TemporaryDirectory::Make().value();
  std::unique_ptr<OpenStore> store;
  std::vector<otlp::TraceId> ids;  // of some traces

  LargeStore() : store(std::make_unique<OpenStore>(ColumnarStoreOptions{.directory = directory.path()})) {
    const size_t requests = Requests();
    Load load(requests);
    Sender sender(**store);
    for (size_t i = 0; i < requests; ++i) {
      const Bytes request = load.Next();
      sender.Send(request);
      if (i % 10 == 0) ids.push_back(head::SplitByTrace(BatchOf(request)).traces.front().id);
    }
    sender.Drain();
    CHECK((*store)->Flush().ok());
  }
};

LargeStore& Large() {
  static LargeStore large;
  return large;
}

void BM_TraceById(benchmark::State& state) {
  LargeStore& large = Large();
  Rng rng(kSeed);
  MeasureEach(state, [&] {
    const auto trace = (*large.store)->GetTrace(large.ids[rng.Below(large.ids.size())], {}, {});
    CHECK(trace.ok() && trace->spans.size() >= 5);
  });
}
BENCHMARK(BM_TraceById)->Iterations(20'000)->Unit(benchmark::kMicrosecond);

void BM_NewestOfAService(benchmark::State& state) {
  LargeStore& large = Large();
  const FetchPlan plan = {.spansets = {Predicate(Condition{.field = Field::Of(Intrinsic::kService),
                                                           .operand = Value::String("vllm-decode")})},
                          .rows = FetchPlan::Rows::kWholeTrace,
                          .wants_messages = true,
                          .traces_max = 20};
  MeasureEach(state, [&] {
    const auto traces = FetchTraces(**large.store, plan);
    CHECK(traces.ok() && traces->size() == 20);
  });
}
BENCHMARK(BM_NewestOfAService)->Iterations(200)->Unit(benchmark::kMicrosecond);

Predicate Of(Field field, Comparison comparison, Value operand) {
  return Predicate(Condition{.field = std::move(field), .comparison = comparison, .operand = std::move(operand)});
}

Field OnSpan(std::string_view key) {
  return Field::Attribute(AttributeScope::kSpan, std::string(key));
}

FetchPlan Newest20(Predicate predicate) {
  return {.spansets = {std::move(predicate)},
          .rows = FetchPlan::Rows::kWholeTrace,
          .wants_messages = true,
          .traces_max = 20};
}

void Ask(benchmark::State& state, const FetchPlan& plan, size_t expected) {
  LargeStore& large = Large();
  MeasureEach(state, [&] {
    const auto traces = FetchTraces(**large.store, plan);
    CHECK(traces.ok() && traces->size() == expected);
  });
}

// The value of an attribute of some span.
std::string TextOf(const Trace& trace, std::string_view key) {
  for (const StoredSpan& span : trace.spans) {
    for (const otlp::AttributeView attribute : span.span().attributes()) {
      if (attribute.key() == key) return std::string(attribute.value().string_value());
    }
  }
  return "";
}

void BM_RareValue(benchmark::State& state) {
  LargeStore& large = Large();
  Rng rng(kSeed);
  std::vector<std::string> values;
  for (int i = 0; i < 100; ++i) {
    const auto trace = (*large.store)->GetTrace(large.ids[rng.Below(large.ids.size())], {}, {});
    CHECK(trace.ok());
    values.push_back(TextOf(*trace, gen_ai::kRequestId));
    CHECK(!values.back().empty());
  }
  MeasureEach(state, [&] {
    const std::string& value = values[rng.Below(values.size())];
    const auto traces = FetchTraces(
        **large.store, Newest20(Of(Field::Attribute(AttributeScope::kAnywhere, std::string(gen_ai::kRequestId)),
                                   Comparison::kHasText, Value::String(value))));
    CHECK(traces.ok() && traces->size() == 1);
  });
}
BENCHMARK(BM_RareValue)->Iterations(200)->Unit(benchmark::kMicrosecond);

void BM_ValueThatIsNotThere(benchmark::State& state) {
  Ask(state, Newest20(Of(OnSpan(gen_ai::kRequestId), Comparison::kEqual, Value::String("chatcmpl-not-there"))), 0);
}
BENCHMARK(BM_ValueThatIsNotThere)->Iterations(200)->Unit(benchmark::kMicrosecond);

Predicate SlowFirstTokens(double seconds) {
  return Predicate::All({Of(OnSpan(gen_ai::kTimeToFirstToken), Comparison::kGreater, Value::Double(seconds)),
                         Of(OnSpan(gen_ai::kRequestModel), Comparison::kEqual, Value::String("Qwen3-32B"))});
}

// A fifth of the engine's spans of one model.
void BM_CommonRange(benchmark::State& state) {
  Ask(state, Newest20(SlowFirstTokens(8)), 20);
}
BENCHMARK(BM_CommonRange)->Iterations(200)->Unit(benchmark::kMicrosecond);

// One in 500,000 of them: all pages are looked at.
void BM_RareRange(benchmark::State& state) {
  LargeStore& large = Large();
  MeasureEach(state, [&] { CHECK(FetchTraces(**large.store, Newest20(SlowFirstTokens(9.99998))).ok()); });
}
BENCHMARK(BM_RareRange)->Iterations(20)->Unit(benchmark::kMicrosecond);

void BM_QuantilesByMinute(benchmark::State& state) {
  LargeStore& large = Large();
  const auto begin = static_cast<uint64_t>(kStartUnixNs) - 10 * kMinuteNs;
  const AggregatePlan plan = {.where = Of(OnSpan(gen_ai::kTimeToFirstToken), Comparison::kExists, {}),
                              .starts = {.begin_unix_ns = begin, .end_unix_ns = begin + 80 * kMinuteNs},
                              .step_ns = kMinuteNs,
                              .of = OnSpan(gen_ai::kTimeToFirstToken),
                              .wants_distribution = true};
  MeasureEach(state, [&] {
    const auto answer = (*large.store)->Aggregate(plan);
    CHECK(answer.ok() && answer->size() == 1 && answer->front().steps.size() == 80);
  });
}
BENCHMARK(BM_QuantilesByMinute)->Iterations(5)->Unit(benchmark::kMillisecond);

void BM_Services(benchmark::State& state) {
  LargeStore& large = Large();
  MeasureEach(state, [&] { CHECK((*large.store)->Services({})->size() == 4); });
}
BENCHMARK(BM_Services)->Iterations(3)->Unit(benchmark::kMillisecond);

void BM_Operations(benchmark::State& state) {
  LargeStore& large = Large();
  MeasureEach(state, [&] { CHECK(!(*large.store)->Operations("vllm-decode", {})->empty()); });
}
BENCHMARK(BM_Operations)->Iterations(3)->Unit(benchmark::kMillisecond);

void BM_Keys(benchmark::State& state) {
  LargeStore& large = Large();
  MeasureEach(state, [&] { CHECK((*large.store)->Keys({})->size() > 10); });
}
BENCHMARK(BM_Keys)->Iterations(3)->Unit(benchmark::kMillisecond);

void BM_Values(benchmark::State& state) {
  LargeStore& large = Large();
  MeasureEach(state, [&] { CHECK((*large.store)->Values({.field = OnSpan(gen_ai::kRequestModel)})->size() == 4); });
}
BENCHMARK(BM_Values)->Iterations(3)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace spanloom::store::columnar

BENCHMARK_MAIN();
