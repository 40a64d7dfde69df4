// SPDX-License-Identifier: Apache-2.0

#include "app/startup_spans.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_replace.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "base/text.h"
#include "sdk/tracer.h"

namespace spanloom::app {
namespace {

constexpr std::string_view kPackages = "/usr/local/lib/python3.12/dist-packages/";  // of vLLM's container images

struct StartupSpan {
  std::string_view name;
  StartupProcess process;
  int parent;  // its place in the table; -1: none
  std::string_view module;
  std::string_view function;
  std::string_view line;
  int begin;  // of the whole start, in ten-thousandths
  int end;
};

using enum StartupProcess;

constexpr int kWhole = 10'000;

// Names, parents, functions and shares of the time of vLLM 0.32.0 on a CPU, tests/data/recorded/vllm-0.32-startup.
constexpr std::array<StartupSpan, 12> kSpans = {{
    {"Overall Loading", kApiServer, -1, "vllm.v1.engine.core_client", "EngineCoreClient.make_async_mp_client", "135", 0,
     10'000},
    {"AsyncMPClient init", kApiServer, 0, "vllm.v1.engine.core_client", "AsyncMPClient.__init__", "1109", 0, 10'000},
    {"EngineCoreProc init", kEngineCore, 1, "vllm.v1.engine.core", "EngineCoreProc.__init__", "1134", 3'820, 9'995},
    {"Executor init", kEngineCore, 2, "vllm.v1.executor.abstract", "Executor.__init__", "111", 3'822, 9'000},
    {"Worker init", kWorker, 3, "vllm.v1.executor.multiproc_executor", "WorkerProc.__init__", "646", 8'388, 8'999},
    {"Worker init", kWorker, 4, "vllm.v1.worker.worker_base", "WorkerWrapperBase.init_worker", "259", 8'389, 8'865},
    {"Loading (CPU)", kWorker, 4, "vllm.v1.worker.cpu_model_runner", "CPUModelRunner.load_model", "61", 8'876, 8'998},
    {"Load model", kWorker, 6, "vllm.model_executor.model_loader.base_loader", "BaseModelLoader.load_model", "62",
     8'876, 8'998},
    {"Initialize model", kWorker, 7, "vllm.model_executor.model_loader.utils", "initialize_model", "73", 8'877, 8'878},
    {"Load weights", kWorker, 7, "vllm.model_executor.model_loader.default_loader", "DefaultModelLoader.load_weights",
     "484", 8'916, 8'917},
    {"Prepare model", kEngineCore, 2, "vllm.v1.engine.core", "EngineCore._initialize_kv_caches", "260", 9'000, 9'884},
    {"Allocate KV cache", kWorker, 3, "vllm.v1.worker.gpu_worker", "Worker.initialize_from_config", "852", 9'077,
     9'884},
}};

// A clock that is put to where a span begins or ends.
class PutClock final : public Clock {
 public:
  void Put(int64_t unix_ns) { unix_ns_ = unix_ns; }
  [[nodiscard]] int64_t UnixNs() const override { return unix_ns_; }
  [[nodiscard]] int64_t SteadyNs() const override { return unix_ns_; }

 private:
  int64_t unix_ns_ = 0;
};

std::string FileOf(std::string_view module) {
  return StrCat(kPackages, absl::StrReplaceAll(AbslView(module), {{".", "/"}}), ".py");
}

uint32_t ScopeOf(std::string_view module) {
  const std::vector<std::string> scopes = StartupScopes();
  return static_cast<uint32_t>(std::find(scopes.begin(), scopes.end(), module) - scopes.begin());
}

// The spans under way of one start.
class Startup {
 public:
  Startup(const StartupTimes& times, const sdk::Sampler& sampler, Rng rng)
      : times_(times), sampler_(sampler), rng_(rng) {}

  void Begin(size_t i, const sdk::TraceContext& root, sdk::SpanSink& sink) {
    const StartupSpan& entry = kSpans[i];
    sdk::TraceContext parent = root;
    if (entry.parent >= 0) {
      const auto of = static_cast<size_t>(entry.parent);
      parent = spans_[of].context();
      parent.is_remote = kSpans[of].process != entry.process;
    }
    clock_.Put(At(entry.begin));
    tracers_[i] = std::make_unique<sdk::Tracer>(sampler_, clock_, Rng(rng_.Next()), sink,
                                                sdk::TracerOptions{.scope = ScopeOf(entry.module)});
    spans_[i] = tracers_[i]->Start(entry.name, otlp::SpanKind::kInternal, parent);
    spans_[i].SetString("code.function", entry.function).SetString("code.namespace", entry.module);
    spans_[i].SetString("code.filepath", FileOf(entry.module)).SetString("code.lineno", entry.line);
  }

  void End(size_t i) {
    clock_.Put(At(kSpans[i].end));
    spans_[i].End();
  }

 private:
  [[nodiscard]] int64_t At(int share) const {
    return times_.begin_unix_ns + (times_.end_unix_ns - times_.begin_unix_ns) / kWhole * share;
  }

  const StartupTimes times_;
  const sdk::Sampler sampler_;
  Rng rng_;
  PutClock clock_;
  std::array<std::unique_ptr<sdk::Tracer>, kSpans.size()> tracers_;
  std::array<sdk::Span, kSpans.size()> spans_;
};

}  // namespace

std::vector<std::string> StartupScopes() {
  std::vector<std::string> scopes;
  for (const StartupSpan& span : kSpans) {
    if (std::find(scopes.begin(), scopes.end(), span.module) == scopes.end()) scopes.emplace_back(span.module);
  }
  return scopes;
}

void MakeStartupSpans(const StartupTimes& times, const sdk::TraceContext& parent, const sdk::Sampler& sampler, Rng rng,
                      const std::function<sdk::SpanSink&(StartupProcess)>& sink_of) {
  Startup startup(times, sampler, rng);
  std::vector<size_t> by_end;
  for (size_t i = 0; i < kSpans.size(); ++i) {
    startup.Begin(i, parent, sink_of(kSpans[i].process));
    by_end.push_back(i);
  }
  // Children stand behind their parents in the table, and end no later.
  std::stable_sort(by_end.begin(), by_end.end(), [](size_t left, size_t right) {
    return kSpans[left].end != kSpans[right].end ? kSpans[left].end < kSpans[right].end : left > right;
  });
  for (const size_t i : by_end) startup.End(i);
}

sdk::TraceContext StartupParent(const std::function<std::optional<std::string>(const std::string& name)>& look_up) {
  net::HttpHeaders headers;
  for (const std::string name : {"traceparent", "tracestate"}) {
    std::optional<std::string> value = look_up(name);
    if (!value) value = look_up(absl::AsciiStrToUpper(name));
    if (value) headers.Add(name, *value);
  }
  return sdk::Extract(headers);
}

}  // namespace spanloom::app
