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

// By OTLP to where `config` says, or to standard output.
StatusOr<sdk::SendRequest> OwnTracing::OpenWayOut(const pipeline::OwnTracesConfig& config, net::LoopPool& loops) {
  if (!config.destination) {
    return [console = ConsoleSender(loops, otlp::Signal::kTraces)](const Bytes& request, sdk::SendDone done) {
      console.Send(request, std::move(done));
    };
  }
  Status status;
  pipeline::RunOn(loop_, [&] {
    auto sender = sdk::OtlpSender::Create(loop_, *config.destination);
    status = sender.status();
    if (sender.ok()) sender_ = *std::move(sender);
  });
  RETURN_IF_ERROR(Annotate(status, "service.telemetry.traces"));
  return [sender = sender_.get()](const Bytes& request, sdk::SendDone done) { sender->Send(request, std::move(done)); };
}

StatusOr<std::unique_ptr<OwnTracing>> OwnTracing::Create(const pipeline::OwnTracesConfig& config,
                                                         const std::string& resource, net::LoopPool& loops,
                                                         const Clock& clock, MetricRegistry& metrics) {
  std::unique_ptr<OwnTracing> tracing(new OwnTracing(loops.Next()));
  ASSIGN_OR_RETURN(sdk::SendRequest send, tracing->OpenWayOut(config, loops));
  Rng rng(Rng::SystemSeed());
  tracing->exporter_ = std::make_unique<sdk::BatchExporter>(
      config.batch, resource, otlp::EncodeScope({.name = "spanloom", .version = Version()}), tracing->loop_, clock,
      metrics, Rng(rng.Next()), std::move(send));
  tracing->tracer_ =
      std::make_unique<sdk::Tracer>(config.sampler, clock, Rng(rng.Next()), *tracing->exporter_, config.propagation);
  return tracing;
}

OwnTracing::~OwnTracing() {
  if (exporter_ != nullptr) exporter_->Stop(std::chrono::milliseconds(0));
  pipeline::RunOn(loop_, [this] { sender_.reset(); });
}

}  // namespace spanloom::app
