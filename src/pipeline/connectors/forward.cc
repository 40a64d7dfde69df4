// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/forward.h"

#include <utility>

namespace spanloom::pipeline {
namespace {

constexpr ComponentDoc kDoc = {
    .words =
        "Passes on, unchanged, what pipelines end with to the pipelines that begin with it: two receivers to common "
        "processors, or one pipeline to several.",
    .example = R"(receivers:
  otlp/edge:
    protocols:
      grpc:
        endpoint: 127.0.0.1:14317
connectors:
  forward:
service:
  pipelines:
    traces/edge:
      receivers: [otlp/edge]
      exporters: [forward]
    traces:
      receivers: [otlp, forward]
      exporters: [spanloom_store]
)",
};

}  // namespace

void ForwardConnector::Consume(otlp::Batch batch, Done done) {
  next_.Consume(std::move(batch), std::move(done));
}

StatusOr<std::unique_ptr<Admission>> ForwardConnector::Reserve(const otlp::Batch& batch) {
  return next_.Reserve(batch);
}

void RegisterForwardConnector(Registry& registry) {
  registry.connectors.Add<ForwardOptions>(
      "forward", kDoc,
      [](const ComponentId&, const ForwardOptions&, const BuildContext&, Consumer& next) {
        return std::make_unique<ForwardConnector>(next);
      },
      EverySignal());
}

}  // namespace spanloom::pipeline
