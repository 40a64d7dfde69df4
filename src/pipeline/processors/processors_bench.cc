// SPDX-License-Identifier: Apache-2.0
//
// What processors that look at every attribute cost, and tail_sampling, which holds spans: `./dev bench processors`. A
// request of 512 spans with 14 attributes each, as vLLM and llm-d send them, and one with prompts of 20 KB. Every
// benchmark checks its answer.

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/rng.h"
#include "config/yaml.h"
#include "otlp/detached.h"
#include "otlp/writer.h"
#include "pipeline/processors/attributes.h"
#include "pipeline/processors/probabilistic_sampler.h"
#include "pipeline/processors/redaction.h"
#include "pipeline/processors/tail_sampling.h"

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

// The spans follow each other by trace, `trace_spans` of each.
otlp::Batch Request(size_t spans, bool has_payloads, size_t trace_spans = 1) {
  static Rng rng(1);  // no trace comes twice
  otlp::TraceId trace_id;
  std::string wire;
  otlp::RequestWriter request(wire);
  request.BeginResource(
      otlp::EncodeResource([](otlp::AttributeWriter& w) { w.String("service.name", "vllm-decode"); }));
  request.BeginScope(otlp::EncodeScope({.name = "vllm.llm_engine"}));
  for (size_t i = 0; i < spans; ++i) {
    if (i % trace_spans == 0) {
      for (uint8_t& byte : trace_id.bytes) byte = static_cast<uint8_t>(rng.Next());
    }
    otlp::SpanFields fields = {.trace_id = trace_id, .name = "llm_request"};
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
  RedactionProcessor processor(ComponentId{"redaction", ""}, Read<RedactionOptions>(kRecipe), Clock::System());
  Run(state, processor, Request(kSpans, false), false);
}
BENCHMARK(BM_RedactionOfSpans);

void BM_RedactionOfPayloads(benchmark::State& state) {
  RedactionProcessor processor(ComponentId{"redaction", ""}, Read<RedactionOptions>(kRecipe), Clock::System());
  Run(state, processor, Request(kPayloads, true), false);
}
BENCHMARK(BM_RedactionOfPayloads);

// What tail_sampling does on the loop that receives: takes spans out of their request, by trace.
void BM_Detach(benchmark::State& state) {
  const auto trace_spans = static_cast<size_t>(state.range(0));
  const otlp::Batch batch = Request(kSpans, false, trace_spans);
  otlp::ContextTable contexts;
  size_t held_bytes = 0;
  for (auto _ : state) {
    const auto traces = otlp::DetachByTrace(batch, contexts);
    CHECK(traces.size() == kSpans / trace_spans);
    held_bytes = 0;
    for (const otlp::DetachedTrace& trace : traces) held_bytes += trace.spans.held_bytes();
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kSpans));
  state.counters["held_bytes_a_span"] = static_cast<double>(held_bytes) / kSpans;
  state.counters["wire_bytes_a_span"] = static_cast<double>(batch.wire_bytes()) / kSpans;
}
BENCHMARK(BM_Detach)->Arg(1)->Arg(8);

constexpr char kThreePolicies[] = R"(
decision_cache: {sampled_cache_size: 100000, non_sampled_cache_size: 100000}
policies:
  - {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}
  - {name: model, type: string_attribute, string_attribute: {key: gen_ai.response.model, values: [none]}}
  - {name: some, type: probabilistic, probabilistic: {sampling_percentage: 10}}
)";

// What it does on its own loop.
class TailSamplingBench {
 public:
  explicit TailSamplingBench(size_t trace_spans) {
    for (size_t traces = 0; traces < kTraces; traces += kSpans / trace_spans) {
      batches_.push_back(Request(kSpans, false, trace_spans));
    }
  }

  [[nodiscard]] size_t span_count() const { return batches_.size() * kSpans; }
  [[nodiscard]] double held_bytes_a_span() const {
    return static_cast<double>(sampler_->traces().held_bytes() + contexts_.held_bytes()) /
           static_cast<double>(span_count());
  }

  // All spans, out of their requests; nothing is held yet.
  std::vector<std::vector<otlp::DetachedTrace>> Begin() {
    sampler_ = std::make_unique<TailSampler>(
        ComponentId{"tail_sampling", ""}, Read<TailSamplingOptions>(kThreePolicies),
        BuildContext{.loops = loops_, .metrics = metrics_, .clock = Clock::System()},
        TraceOutlets{.release = [this](const otlp::Slice& slice) { released_ += slice.span_count(); },
                     .lose = [](uint64_t, const Status&, std::string_view) { CHECK(false); },
                     .lose_as_too_large = [](uint64_t) { CHECK(false); }});
    std::vector<std::vector<otlp::DetachedTrace>> detached;
    for (const otlp::Batch& batch : batches_) detached.push_back(otlp::DetachByTrace(batch, contexts_));
    return detached;
  }

  void Take(std::vector<std::vector<otlp::DetachedTrace>> detached) {
    for (auto& traces : detached) {
      for (otlp::DetachedTrace& trace : traces) sampler_->Take(std::move(trace), 1);
    }
  }

  void Decide() {
    while (HeldTrace* const trace = sampler_->traces().OldestWaiting()) sampler_->Settle(*trace, 2);
    CHECK(released_ > span_count() / 20);
  }

 private:
  static constexpr size_t kTraces = 50'000 - kSpans;

  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  otlp::ContextTable contexts_;
  std::vector<otlp::Batch> batches_;
  std::unique_ptr<TailSampler> sampler_;
  uint64_t released_ = 0;
};

void BM_TailSamplingTake(benchmark::State& state) {
  TailSamplingBench bench(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    state.PauseTiming();
    auto detached = bench.Begin();
    state.ResumeTiming();
    bench.Take(std::move(detached));
    state.PauseTiming();
    state.counters["held_bytes_a_span"] = bench.held_bytes_a_span();
    bench.Decide();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * bench.span_count()));
}
BENCHMARK(BM_TailSamplingTake)->Arg(1)->Arg(8)->Unit(benchmark::kMillisecond);

void BM_TailSamplingDecide(benchmark::State& state) {
  TailSamplingBench bench(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    state.PauseTiming();
    bench.Take(bench.Begin());
    state.ResumeTiming();
    bench.Decide();
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * bench.span_count()));
}
BENCHMARK(BM_TailSamplingDecide)->Arg(1)->Arg(8)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace spanloom::pipeline

BENCHMARK_MAIN();
