// SPDX-License-Identifier: Apache-2.0

#include "app/own_tracing.h"

#include <string>
#include <utility>

#include "app/console_sender.h"
#include "app/version.h"
#include "base/rng.h"
#include "otlp/writer.h"
#include "pipeline/loop_call.h"

namespace spanloom::app {

// By OTLP to where `route` says, or to standard output.
StatusOr<sdk::SendRequest> OwnTracing::OpenWayOut(const pipeline::OwnTracesRoute& route, net::LoopPool& loops) {
  if (!route.destination) {
    return [console = ConsoleSender(loops, otlp::Signal::kTraces)](const Bytes& request, sdk::SendDone done) {
      console.Send(request, std::move(done));
    };
  }
  Status status;
  pipeline::RunOn(loop_, [&] {
    auto sender = sdk::OtlpSender::Create(loop_, *route.destination);
    status = sender.status();
    if (sender.ok()) senders_.push_back(*std::move(sender));
  });
  RETURN_IF_ERROR(Annotate(status, "service.telemetry.traces"));
  return [sender = senders_.back().get()](const Bytes& request, sdk::SendDone done) {
    sender->Send(request, std::move(done));
  };
}

StatusOr<std::unique_ptr<OwnTracing>> OwnTracing::Create(const pipeline::OwnTracesConfig& config,
                                                         const std::string& resource, net::LoopPool& loops,
                                                         const Clock& clock, MetricRegistry& metrics) {
  std::unique_ptr<OwnTracing> tracing(new OwnTracing(loops.Next()));
  Rng rng(Rng::SystemSeed());
  std::vector<sdk::SpanSink*> sinks;
  for (const pipeline::OwnTracesRoute& route : config.routes) {
    ASSIGN_OR_RETURN(sdk::SendRequest send, tracing->OpenWayOut(route, loops));
    tracing->exporters_.push_back(std::make_unique<sdk::BatchExporter>(
        route.batch, resource, otlp::EncodeScope({.name = "spanloom", .version = Version()}), tracing->loop_, clock,
        metrics, Rng(rng.Next()), std::move(send)));
    sinks.push_back(tracing->exporters_.back().get());
  }
  tracing->fork_ = std::make_unique<sdk::SpanFork>(std::move(sinks));
  tracing->tracer_ =
      std::make_unique<sdk::Tracer>(config.sampler, clock, Rng(rng.Next()), *tracing->fork_, config.propagation);
  return tracing;
}

OwnTracing::~OwnTracing() {
  Stop(std::chrono::milliseconds(0));
  pipeline::RunOn(loop_, [this] { senders_.clear(); });
}

}  // namespace spanloom::app
