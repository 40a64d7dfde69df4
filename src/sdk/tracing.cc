// SPDX-License-Identifier: Apache-2.0

#include "sdk/tracing.h"

#include <utility>

#include "base/check.h"
#include "base/rng.h"
#include "net/loop_call.h"
#include "sdk/console_sender.h"

namespace spanloom::sdk {

// By OTLP to where `route` says, or to standard output.
StatusOr<SendRequest> Tracing::OpenWayOut(const SpanRoute& route, net::LoopPool& loops) {
  if (!route.destination) {
    return [console = ConsoleSender(loops, otlp::Signal::kTraces)](const Bytes& request, SendDone done) {
      console.Send(request, std::move(done));
    };
  }
  Status status;
  RunOn(loop_, [&] {
    auto sender = OtlpSender::Create(loop_, *route.destination);
    status = sender.status();
    if (sender.ok()) senders_.push_back(*std::move(sender));
  });
  RETURN_IF_ERROR(Annotate(status, route.batch.configured_by));
  return
      [sender = senders_.back().get()](const Bytes& request, SendDone done) { sender->Send(request, std::move(done)); };
}

StatusOr<std::unique_ptr<Tracing>> Tracing::Create(const TracingOptions& options, const std::string& resource,
                                                   const std::vector<otlp::ScopeFields>& scopes, net::LoopPool& loops,
                                                   const Clock& clock, MetricRegistry& metrics) {
  CHECK(!scopes.empty());
  CHECK(!options.is_on || !options.routes.empty());
  std::unique_ptr<Tracing> tracing(new Tracing(loops.Next()));
  if (!options.is_on) {
    for (size_t i = 0; i < scopes.size(); ++i) {
      tracing->tracers_.push_back(std::make_unique<Tracer>(options.propagation));
    }
    return tracing;
  }
  std::vector<std::string> encoded_scopes;
  for (const otlp::ScopeFields& scope : scopes) encoded_scopes.push_back(otlp::EncodeScope(scope));
  Rng rng(Rng::SystemSeed());
  std::vector<SpanSink*> sinks;
  for (const SpanRoute& route : options.routes) {
    ASSIGN_OR_RETURN(SendRequest send, tracing->OpenWayOut(route, loops));
    tracing->exporters_.push_back(std::make_unique<BatchExporter>(route.batch, resource, encoded_scopes, tracing->loop_,
                                                                  clock, metrics, Rng(rng.Next()), std::move(send)));
    sinks.push_back(tracing->exporters_.back().get());
  }
  tracing->fork_ = std::make_unique<SpanFork>(std::move(sinks));
  for (uint32_t i = 0; i < scopes.size(); ++i) {
    const TracerOptions of_scope = {.propagation = options.propagation, .limits = options.limits, .scope = i};
    tracing->tracers_.push_back(
        std::make_unique<Tracer>(options.sampler, clock, Rng(rng.Next()), *tracing->fork_, of_scope));
  }
  return tracing;
}

Tracing::~Tracing() {
  Stop(std::chrono::milliseconds(0));
  RunOn(loop_, [this] { senders_.clear(); });
}

void Tracing::Flush(std::chrono::milliseconds grace) {
  for (const auto& exporter : exporters_) exporter->Flush(grace);
}

void Tracing::Stop(std::chrono::milliseconds grace) {
  for (const auto& exporter : exporters_) exporter->Stop(grace);
}

}  // namespace spanloom::sdk
