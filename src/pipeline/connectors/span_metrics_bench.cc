// SPDX-License-Identifier: Apache-2.0
//
// What a span costs that is counted: `./dev bench span_metrics`. Requests of 512 spans with 14 attributes each, as vLLM
// and llm-d send them, over 1,000 series. Every benchmark checks its answer.

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/rng.h"
#include "config/yaml.h"
#include "otlp/writer.h"
#include "pipeline/connectors/span_tally.h"

namespace spanloom::pipeline {
namespace {

constexpr size_t kSpans = 512;  // of a full batch of an SDK
constexpr size_t kRequests = 16;
constexpr size_t kNumbers = 11;     // attributes of a span that are no texts
constexpr uint64_t kSeries = 1000;  // of one service

otlp::Batch Request(uint64_t seed, const std::string& service) {
  Rng rng(seed);
  std::string wire;
  otlp::RequestWriter request(wire);
  request.BeginResource(otlp::EncodeResource([&](otlp::AttributeWriter& w) {
    w.String("service.name", service).String("host.name", "node-17").String("telemetry.sdk.language", "python");
  }));
  request.BeginScope(otlp::EncodeScope({.name = "vllm.llm_engine"}));
  for (size_t i = 0; i < kSpans; ++i) {
    const uint64_t series = rng.Below(kSeries);
    const std::string name = "POST /v1/completions/" + std::to_string(series / 10);
    otlp::SpanFields fields = {.name = name, .kind = otlp::SpanKind::kServer};
    for (uint8_t& byte : fields.trace_id.bytes) byte = static_cast<uint8_t>(rng.Next());
    fields.end_unix_ns = rng.Below(20'000'000'000);
    otlp::SpanWriter span = request.BeginSpan(fields);
    otlp::AttributeWriter attributes = span.attributes();
    attributes.String("gen_ai.response.model", "model-" + std::to_string(series % 10)).String("enduser.id", "u-1234");
    for (size_t n = 0; n < kNumbers; ++n) {
      attributes.Int("gen_ai.usage.number_" + std::to_string(n), static_cast<int64_t>(rng.Below(5000)));
    }
    attributes.String("gen_ai.input.messages", "hello");
    span.End();
  }
  request.End();
  return otlp::Batch(otlp::Slice(Bytes(std::move(wire)), kSpans));
}

SpanMetricsOptions Read(const char* yaml) {
  config::Problems problems;
  auto options = config::ReadOptions<SpanMetricsOptions>(*config::ParseYaml(yaml, "bench"), "c", problems);
  CHECK(problems.empty());
  return options;
}

// Reads spans and does nothing with them: the floor.
void BM_ReadSpans(benchmark::State& state) {
  const otlp::Batch batch = Request(1, "vllm");
  for (auto _ : state) {
    uint64_t sum = 0;
    for (const otlp::Slice& slice : batch.slices()) {
      slice.ForEach([&](const otlp::SpanContext& context) { sum += context.span.end_unix_ns(); });
    }
    CHECK(sum > 0);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kSpans));
}
BENCHMARK(BM_ReadSpans);

void Count(benchmark::State& state, const char* yaml, bool one_service) {
  static std::unique_ptr<SpanTally> tally;
  if (state.thread_index() == 0) tally = std::make_unique<SpanTally>(Read(yaml), "i-1", Clock::System(), 1);
  const std::string service = one_service ? "vllm" : "vllm-" + std::to_string(state.thread_index());
  std::vector<otlp::Batch> batches;
  for (uint64_t i = 0; i < kRequests; ++i) batches.push_back(Request(i + 1, service));
  size_t next = 0;
  for (auto _ : state) CHECK(tally->Count(batches[next++ % kRequests]) == 0);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kSpans));
}

void BM_Count(benchmark::State& state) {
  Count(state, "dimensions: [{name: gen_ai.response.model}]", true);
}
BENCHMARK(BM_Count)->ThreadRange(1, 2)->UseRealTime();

void BM_CountServices(benchmark::State& state) {
  Count(state, "dimensions: [{name: gen_ai.response.model}]", false);
}
BENCHMARK(BM_CountServices)->ThreadRange(2, 2)->UseRealTime();

void BM_CountWithoutDimensions(benchmark::State& state) {
  Count(state, "", true);
}
BENCHMARK(BM_CountWithoutDimensions);

void BM_CountExponentially(benchmark::State& state) {
  Count(state, "{dimensions: [{name: gen_ai.response.model}], histogram: {exponential: }}", true);
}
BENCHMARK(BM_CountExponentially);

// The points of 1,000 series.
void BM_Collect(benchmark::State& state) {
  SpanTally tally(Read("dimensions: [{name: gen_ai.response.model}]"), "i-1", Clock::System(), 1);
  for (uint64_t i = 0; i < kRequests; ++i) CHECK(tally.Count(Request(i + 1, "vllm")) == 0);
  for (auto _ : state) CHECK(tally.Collect(false).at(0).points == 2 * tally.series_count());
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * tally.series_count()));
}
BENCHMARK(BM_Collect);

}  // namespace
}  // namespace spanloom::pipeline
