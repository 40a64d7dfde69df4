// SPDX-License-Identifier: Apache-2.0

#include "app/own_tracing.h"

#include <string>
#include <utility>

#include "app/version.h"
#include "base/rng.h"
#include "otlp/writer.h"
#include "pipeline/loop_call.h"

namespace spanloom::app {
StatusOr<std::unique_ptr<OwnTracing>> OwnTracing::Create(const pipeline::OwnTracesConfig& config,
                                                         const std::string& resource, net::LoopPool& loops,
                                                         const Clock& clock, MetricRegistry& metrics) {
  std::unique_ptr<OwnTracing> tracing(new OwnTracing(loops.Next()));
  Status status;
  pipeline::RunOn(tracing->loop_, [&] {
    auto sender = sdk::OtlpSender::Create(tracing->loop_, config.destination);
    status = sender.status();
    if (sender.ok()) tracing->sender_ = *std::move(sender);
  });
  RETURN_IF_ERROR(Annotate(status, "service.telemetry.traces"));
  Rng rng(Rng::SystemSeed());
  tracing->exporter_ = std::make_unique<sdk::BatchExporter>(
      config.batch, resource, otlp::EncodeScope({.name = "spanloom", .version = Version()}), tracing->loop_, clock,
      metrics, Rng(rng.Next()), [sender = tracing->sender_.get()](const Bytes& request, sdk::SendDone done) {
        sender->Send(request, std::move(done));
      });
  tracing->tracer_ = std::make_unique<sdk::Tracer>(config.sampler, clock, Rng(rng.Next()), *tracing->exporter_);
  return tracing;
}

OwnTracing::~OwnTracing() {
  if (exporter_ != nullptr) exporter_->Stop(std::chrono::milliseconds(0));
  pipeline::RunOn(loop_, [this] { sender_.reset(); });
}

}  // namespace spanloom::app
