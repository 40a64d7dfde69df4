// SPDX-License-Identifier: Apache-2.0

#include "app/own_tracing.h"

#include <string>
#include <utility>

#include "app/version.h"
#include "base/rng.h"
#include "otlp/ids.h"
#include "otlp/writer.h"
#include "pipeline/loop_call.h"
#include "semconv/names.h"

namespace spanloom::app {
namespace {

// A random UUID (RFC 9562, version 4).
std::string InstanceId(Rng& rng) {
  otlp::TraceId bits;
  for (uint8_t& byte : bits.bytes) byte = static_cast<uint8_t>(rng.Below(256));
  bits.bytes[6] = static_cast<uint8_t>((bits.bytes[6] & 0x0f) | 0x40);
  bits.bytes[8] = static_cast<uint8_t>((bits.bytes[8] & 0x3f) | 0x80);
  std::string text = bits.Hex();
  for (const size_t dash : {8, 13, 18, 23}) text.insert(dash, 1, '-');
  return text;
}

std::string Resource(Rng& rng) {
  return otlp::EncodeResource([&](otlp::AttributeWriter& attributes) {
    attributes.String(semconv::resource::kServiceName, "spanloom");
    attributes.String(semconv::resource::kServiceVersion, Version());
    attributes.String(semconv::resource::kServiceInstanceId, InstanceId(rng));
  });
}

}  // namespace

StatusOr<std::unique_ptr<OwnTracing>> OwnTracing::Create(const pipeline::OwnTracesConfig& config, net::LoopPool& loops,
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
      config.batch, Resource(rng), otlp::EncodeScope({.name = "spanloom", .version = Version()}), tracing->loop_, clock,
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
