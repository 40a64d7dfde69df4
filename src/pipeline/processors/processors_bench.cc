// SPDX-License-Identifier: Apache-2.0
//
// What processors that look at every attribute cost: `./dev bench processors`. A request of 512 spans with 14
// attributes each, as vLLM and llm-d send them, and one with prompts of 20 KB. Every benchmark checks its answer.

#include <benchmark/benchmark.h>

#include <string>
#include <utility>

#include "base/check.h"
#include "base/rng.h"
#include "config/yaml.h"
#include "otlp/writer.h"
#include "pipeline/processors/attributes.h"
#include "pipeline/processors/probabilistic_sampler.h"
#include "pipeline/processors/redaction.h"

namespace spanloom::pipeline {
namespace {

constexpr size_t kSpans = 512;       // of a full batch of an SDK
constexpr size_t kNumbers = 11;      // attributes of a span that are no texts
constexpr size_t kPayloads = 64;     // spans of the request with prompts
constexpr size_t kWords = 20 << 10;  // bytes of a prompt

std::string Words(Rng& rng) {
  std::string words;
  while (words.size() < kWords) {
    for (uint64_t letters = 2 + rng.Below(8); letters > 0; --letters) {
      words.push_back(static_cast<char>('a' + rng.Below(26)));
    }
    words.push_back(' ');
  }
  return words;
}

otlp::Batch Request(size_t spans, bool has_payloads) {
  Rng rng(1);
  std::string wire;
  otlp::RequestWriter request(wire);
  request.BeginResource(
      otlp::EncodeResource([](otlp::AttributeWriter& w) { w.String("service.name", "vllm-decode"); }));
  request.BeginScope(otlp::EncodeScope({.name = "vllm.llm_engine"}));
  for (size_t i = 0; i < spans; ++i) {
    otlp::SpanFields fields = {.name = "llm_request"};
    for (uint8_t& byte : fields.trace_id.bytes) byte = static_cast<uint8_t>(rng.Next());
    otlp::SpanWriter span = request.BeginSpan(fields);
    otlp::AttributeWriter attributes = span.attributes();
    attributes.String("gen_ai.response.model", "meta-llama/Llama-3.1-8B-Instruct").String("enduser.id", "u-1234");
    for (size_t n = 0; n < kNumbers; ++n) {
      attributes.Int("gen_ai.usage.number_" + std::to_string(n), static_cast<int64_t>(rng.Below(5000)));
    }
    attributes.String("gen_ai.input.messages", has_payloads ? Words(rng) : "hello");
    span.End();
  }
  request.End();
  return otlp::Batch(otlp::Slice(Bytes(std::move(wire)), spans));
}

template <typename Options>
Options Read(const char* yaml) {
  config::Problems problems;
  auto options = config::ReadOptions<Options>(*config::ParseYaml(yaml, "bench"), "p", problems);
  CHECK(problems.empty());
  return options;
}

// Runs `processor` over copies of `batch`, and says how many spans and bytes it takes a second.
void Run(benchmark::State& state, TransformProcessor& processor, const otlp::Batch& batch, bool changes) {
  for (auto _ : state) {
    otlp::Batch copy = batch;
    CHECK(processor.Process(copy).ok());
    CHECK(copy.span_count() == batch.span_count() && copy.slices()[0].is_whole() != changes);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * batch.span_count()));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * batch.wire_bytes()));
}

void BM_AttributesInsert(benchmark::State& state) {
  AttributesProcessor processor(Read<AttributesOptions>("actions: [{key: zone, action: insert, value: b}]"));
  Run(state, processor, Request(kSpans, false), true);
}
BENCHMARK(BM_AttributesInsert);

void BM_AttributesHash(benchmark::State& state) {
  AttributesProcessor processor(Read<AttributesOptions>("actions: [{key: enduser.id, action: hash}]"));
  Run(state, processor, Request(kSpans, false), true);
}
BENCHMARK(BM_AttributesHash);

void BM_AttributesNotSelected(benchmark::State& state) {
  AttributesProcessor processor(Read<AttributesOptions>(
      "{include: {match_type: strict, services: [other]}, actions: [{key: zone, action: insert, value: b}]}"));
  Run(state, processor, Request(kSpans, false), false);
}
BENCHMARK(BM_AttributesNotSelected);

void BM_SamplerHashSeed(benchmark::State& state) {
  net::LoopPool loops(1);
  MetricRegistry metrics;
  ProbabilisticSampler processor(ComponentId{"probabilistic_sampler", ""},
                                 Read<ProbabilisticSamplerOptions>("sampling_percentage: 100"),
                                 {.loops = loops, .metrics = metrics, .clock = Clock::System()});
  Run(state, processor, Request(kSpans, false), true);
}
BENCHMARK(BM_SamplerHashSeed);

// The patterns of llm-d's recipe for payloads.
constexpr char kRecipe[] = R"(
allow_all_keys: true
blocked_values:
  - "\\b\\d{3}-\\d{2}-\\d{4}\\b"
  - "\\b(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|3[47][0-9]{13}|6(?:011|5[0-9]{2})[0-9]{12})\\b"
  - "(?i)bearer\\s+[a-z0-9._\\-]+"
summary: debug
)";

void BM_RedactionOfSpans(benchmark::State& state) {
  RedactionProcessor processor(ComponentId{"redaction", ""}, Read<RedactionOptions>(kRecipe));
  Run(state, processor, Request(kSpans, false), false);
}
BENCHMARK(BM_RedactionOfSpans);

void BM_RedactionOfPayloads(benchmark::State& state) {
  RedactionProcessor processor(ComponentId{"redaction", ""}, Read<RedactionOptions>(kRecipe));
  Run(state, processor, Request(kPayloads, true), false);
}
BENCHMARK(BM_RedactionOfPayloads);

}  // namespace
}  // namespace spanloom::pipeline

BENCHMARK_MAIN();
