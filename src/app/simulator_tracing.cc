// SPDX-License-Identifier: Apache-2.0

#include "app/simulator_tracing.h"

#include <unistd.h>

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "app/startup_spans.h"
#include "app/version.h"
#include "base/log.h"
#include "base/text.h"
#include "net/loop_call.h"
#include "otlp/writer.h"
#include "sdk/environment.h"
#include "semconv/names.h"

namespace spanloom::app {
namespace {

constexpr std::string_view kGrpcScheme = "grpc://";

// vLLM is told the endpoint by its flag, in any of three forms, and reads the protocol of traces alone.
std::optional<std::string> LookUp(const std::string& endpoint, const std::string& name) {
  if (name == "OTEL_EXPORTER_OTLP_ENDPOINT" || name == "OTEL_EXPORTER_OTLP_PROTOCOL" ||
      name == "OTEL_TRACES_EXPORTER") {
    return std::nullopt;
  }
  if (name != "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") return sdk::LookUpProcessVariable(name);
  if (endpoint.starts_with(kGrpcScheme)) return StrCat("http://", endpoint.substr(kGrpcScheme.size()));
  return endpoint.find("://") == std::string::npos ? StrCat("http://", endpoint) : endpoint;
}

// vLLM's processes, in the order of StartupProcess.
struct ProcessFacts {
  std::string_view module;
  std::string_view kind;  // "" as of the next: not said
  std::string_view name;
};
constexpr std::array<ProcessFacts, kStartupProcesses> kProcesses = {{{"vllm.llm_engine", "", ""},
                                                                     {"vllm.engine_core", "engine_core", "EngineCore"},
                                                                     {"vllm.worker", "worker", "Worker_0"}}};

// Each process is an instance of its own.
std::string ProcessResource(const ProcessFacts& facts, sdk::TextPairs resource, Rng& rng) {
  for (auto& [key, value] : resource) {
    if (key == "service.instance.id") value = sdk::NewInstanceId(rng);
  }
  resource.emplace_back(semconv::resource::kVllmModule, facts.module);
  resource.emplace_back(semconv::resource::kVllmProcessId, StrCat(getpid()));
  if (!facts.kind.empty()) {
    resource.emplace_back("vllm.process_kind", facts.kind);
    resource.emplace_back("vllm.process_name", facts.name);
  }
  return sdk::EncodeResource(resource);
}

// What vLLM's engine adds to what the variables say of the process.
std::string Resource(sdk::TextPairs resource) {
  resource.emplace_back(semconv::resource::kVllmModule, "vllm.llm_engine");
  resource.emplace_back(semconv::resource::kVllmProcessId, StrCat(getpid()));
  return sdk::EncodeResource(resource);
}

// vLLM does not say which it is, unless it is told to.
void LeaveVersionOut(sdk::TextPairs& resource) {
  std::erase_if(resource, [](const auto& pair) {
    return pair.first == semconv::resource::kServiceVersion && pair.second == Version();
  });
}

}  // namespace

StatusOr<sdk::SendRequest> SimulatorTracing::OpenWayOut(const sdk::OtlpSenderOptions& destination) {
  Status status;
  net::RunOn(loop_, [&] {
    auto sender = sdk::OtlpSender::Create(loop_, destination);
    status = sender.status();
    if (sender.ok()) sender_ = *std::move(sender);
  });
  RETURN_IF_ERROR(Annotate(status, "--otlp-traces-endpoint"));
  return [sender = sender_.get()](const Bytes& request, sdk::SendDone done) { sender->Send(request, std::move(done)); };
}

StatusOr<std::unique_ptr<SimulatorTracing>> SimulatorTracing::Create(const SimulatorTracingOptions& options,
                                                                     net::LoopPool& loops, const Clock& clock,
                                                                     MetricRegistry& metrics) {
  std::unique_ptr<SimulatorTracing> tracing(new SimulatorTracing(loops.Next(), clock));
  if (options.endpoint.empty()) return tracing;
  Rng& rng = tracing->rng_;
  const sdk::ServiceIdentity identity{
      .name = options.service_name, .version = Version(), .instance_id = sdk::NewInstanceId(rng)};
  ASSIGN_OR_RETURN(sdk::EnvironmentReading reading, sdk::ReadEnvironment(identity, [&](const std::string& name) {
                     return LookUp(options.endpoint, name);
                   }));
  for (const std::string& warning : reading.warnings) Log(LogLevel::kWarn, warning);
  if (!reading.tracing.is_on) return tracing;
  if (options.is_faithful) LeaveVersionOut(reading.resource);
  sdk::SpanRoute& route = reading.tracing.routes.front();
  route.batch.configured_by = "--otlp-traces-endpoint";
  ASSIGN_OR_RETURN(sdk::SendRequest send, tracing->OpenWayOut(*route.destination));
  tracing->sampler_ = reading.tracing.sampler;
  if (options.has_startup) tracing->OpenStartup(route.batch, reading.resource, send, metrics);
  const std::vector<std::string> scopes = {otlp::EncodeScope({.name = semconv::scope::kVllm})};
  tracing->exporter_ =
      std::make_unique<sdk::BatchExporter>(route.batch, Resource(std::move(reading.resource)), scopes, tracing->loop_,
                                           clock, metrics, Rng(rng.Next()), std::move(send));
  sdk::SpanSink* sink = tracing->exporter_.get();
  if (options.is_faithful) {
    for (StartupExporter& each : tracing->startup_)
      each.faithful = std::make_unique<llmd::simulator::FaithfulSink>(*each.exporter);
    tracing->faithful_ = std::make_unique<llmd::simulator::FaithfulSink>(*sink);
    sink = tracing->faithful_.get();
  }
  const sdk::TracerOptions of_spans = {.propagation = reading.tracing.propagation, .limits = reading.tracing.limits};
  tracing->tracer_ = std::make_unique<sdk::Tracer>(reading.tracing.sampler, clock, Rng(rng.Next()), *sink, of_spans);
  return tracing;
}

void SimulatorTracing::OpenStartup(const sdk::BatchExporterOptions& batch, const sdk::TextPairs& resource,
                                   const sdk::SendRequest& send, MetricRegistry& metrics) {
  std::vector<std::string> scopes;
  for (const std::string& name : StartupScopes()) scopes.push_back(otlp::EncodeScope({.name = name}));
  for (const ProcessFacts& facts : kProcesses) {
    startup_.push_back(
        {.exporter = std::make_unique<sdk::BatchExporter>(batch, ProcessResource(facts, resource, rng_), scopes, loop_,
                                                          clock_, metrics, Rng(rng_.Next()), send)});
  }
}

void SimulatorTracing::TellStartup(std::chrono::nanoseconds duration) {
  if (startup_.empty()) return;
  const int64_t begin_ns = clock_.UnixNs();
  net::RunOn(loop_, [&] {
    startup_end_ = loop_.PostAfter(duration, [this, begin_ns, duration] {
      const auto sink_of = [this](StartupProcess process) -> sdk::SpanSink& {
        StartupExporter& of = startup_[static_cast<size_t>(process)];
        if (of.faithful != nullptr) return *of.faithful;
        return *of.exporter;
      };
      MakeStartupSpans({begin_ns, begin_ns + duration.count()}, StartupParent(sdk::LookUpProcessVariable), sampler_,
                       Rng(rng_.Next()), sink_of);
    });
  });
}

void SimulatorTracing::Stop(std::chrono::milliseconds grace) {
  net::RunOn(loop_, [this] { startup_end_ = net::Timer(); });
  for (StartupExporter& each : startup_) each.exporter->Stop(grace);
  if (exporter_ != nullptr) exporter_->Stop(grace);
}

SimulatorTracing::~SimulatorTracing() {
  Stop(std::chrono::milliseconds(0));
  net::RunOn(loop_, [this] { sender_.reset(); });
}

}  // namespace spanloom::app
