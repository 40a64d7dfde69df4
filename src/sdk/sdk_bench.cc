// SPDX-License-Identifier: Apache-2.0
//
// What a span of our own costs the thread that makes it: `./dev bench sdk`. Every benchmark checks its answer.

#include <benchmark/benchmark.h>
#include <time.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "sdk/batch_exporter.h"
#include "sdk/tracer.h"

namespace spanloom::sdk {
namespace {

// Counts spans and lets them go.
class Counted final : public SpanSink {
 public:
  void Take(std::unique_ptr<SpanRecord> span) override { attributes_ += span->attributes.size(); }
  [[nodiscard]] size_t attributes() const { return attributes_; }

 private:
  size_t attributes_ = 0;
};

constexpr size_t kAttributes = 10;

// A span as a router makes it around a request to a model server.
void MakeSpan(const Tracer& tracer, const TraceContext& parent) {
  Span span = tracer.Start("llm_d.pd_proxy.decode", otlp::SpanKind::kClient, parent);
  span.SetString("gen_ai.request.model", "meta-llama/Llama-3.1-8B-Instruct")
      .SetString("http.request.method", "POST")
      .SetString("url.path", "/v1/completions")
      .SetString("server.address", "10.244.3.17")
      .SetInt("server.port", 8200)
      .SetInt("http.response.status_code", 200)
      .SetInt("gen_ai.usage.completion_tokens", 128)
      .SetDouble("llm_d.pd_proxy.decode_duration_ms", 812.5)
      .SetDouble("llm_d.pd_proxy.true_ttft_ms", 48.25)
      .SetBool("llm_d.pd_proxy.streaming", true)
      .End();
  benchmark::DoNotOptimize(span);
}

TraceContext Parent(bool is_sampled) {
  TraceContext parent = *ParseTraceParent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
  parent.flags = is_sampled ? kSampledFlag : 0;
  parent.is_remote = true;
  return parent;
}

void BM_SampledSpan(benchmark::State& state) {
  Counted counted;
  const Tracer tracer(Sampler::ParentBased(Sampler::AlwaysOn()), Clock::System(), Rng(1), counted);
  const TraceContext parent = Parent(true);
  for (auto _ : state) MakeSpan(tracer, parent);
  CHECK(counted.attributes() == kAttributes * state.iterations());
}
BENCHMARK(BM_SampledSpan);

// CPU time of this thread: that of the exporter's loop is not what a span costs its maker.
int64_t ThreadCpuNs() {
  timespec time = {};
  CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

// The same handed to an exporter, which encodes them on its loop once they are made: 512 in a row, then a pause, as in
// a process that makes some and has other work.
void BM_SampledAndExportedSpan(benchmark::State& state) {
  constexpr size_t kSpans = 512;
  net::LoopPool loops(1);
  MetricRegistry metrics;
  BatchExporterOptions options;
  options.delay = std::chrono::milliseconds(2);
  options.batch_spans_max = 2 * kSpans;
  std::atomic<size_t> requests = 0;
  BatchExporter exporter(options, "", {""}, loops.At(0), Clock::System(), metrics, Rng(1),
                         [&](const Bytes&, SendDone done) {
                           std::move(done)(0);
                           ++requests;
                         });
  const Tracer tracer(Sampler::ParentBased(Sampler::AlwaysOn()), Clock::System(), Rng(1), exporter);
  const TraceContext parent = Parent(true);
  for (auto _ : state) {
    const size_t before = requests;
    const int64_t begin_ns = ThreadCpuNs();
    for (size_t i = 0; i < kSpans; ++i) MakeSpan(tracer, parent);
    state.SetIterationTime(static_cast<double>(ThreadCpuNs() - begin_ns) * 1e-9);
    while (requests == before) std::this_thread::yield();
  }
  state.SetItemsProcessed(static_cast<int64_t>(kSpans * state.iterations()));
}
BENCHMARK(BM_SampledAndExportedSpan)->UseManualTime();

void BM_UnsampledChild(benchmark::State& state) {
  Counted counted;
  const Tracer tracer(Sampler::ParentBased(Sampler::AlwaysOn()), Clock::System(), Rng(1), counted);
  const TraceContext parent = Parent(false);
  for (auto _ : state) MakeSpan(tracer, parent);
  CHECK(counted.attributes() == 0);
}
BENCHMARK(BM_UnsampledChild);

void BM_UnsampledRoot(benchmark::State& state) {
  Counted counted;
  const Tracer tracer(Sampler::AlwaysOff(), Clock::System(), Rng(1), counted);
  for (auto _ : state) MakeSpan(tracer, {});
  CHECK(counted.attributes() == 0);
}
BENCHMARK(BM_UnsampledRoot);

void BM_TracerThatIsOff(benchmark::State& state) {
  const TraceContext parent = Parent(true);
  for (auto _ : state) MakeSpan(Tracer::None(), parent);
}
BENCHMARK(BM_TracerThatIsOff);

void BM_EncodeSpan(benchmark::State& state) {
  constexpr size_t kSpans = 512;
  class Kept final : public SpanSink {
   public:
    void Take(std::unique_ptr<SpanRecord> span) override { spans.push_back(std::move(span)); }
    std::vector<std::unique_ptr<SpanRecord>> spans;
  } kept;
  const Tracer tracer(Sampler::AlwaysOn(), Clock::System(), Rng(1), kept);
  for (size_t i = 0; i < kSpans; ++i) MakeSpan(tracer, {});
  const std::vector<std::string> scopes = {otlp::EncodeScope({.name = "bench"})};
  for (auto _ : state) CHECK(EncodeRequest(kept.spans, "", scopes).size() > kSpans * 300);
  state.SetItemsProcessed(static_cast<int64_t>(kSpans * state.iterations()));
}
BENCHMARK(BM_EncodeSpan);

}  // namespace
}  // namespace spanloom::sdk

BENCHMARK_MAIN();
