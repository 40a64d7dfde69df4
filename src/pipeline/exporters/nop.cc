// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/nop.h"

#include <memory>
#include <utility>

#include "pipeline/exporters/export_counters.h"

namespace spanloom::pipeline {
namespace {

constexpr ComponentDoc kDoc = {
    .words = "Takes everything and does nothing with it; for measuring what stands before it.",
    .example = R"(exporters:
  nop:
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [nop]
)",
};

}  // namespace

NopExporter::NopExporter(const ComponentId& id, const BuildContext& context)
    : sent_(SentItems(context.metrics, id.ToString(), context.signal)) {}

void NopExporter::Consume(otlp::Batch batch, Done done) {
  sent_.Add(batch.span_count());
  std::move(done)(absl::OkStatus());
}

void RegisterNopExporter(Registry& registry) {
  registry.exporters.Add<NopOptions>(
      "nop", kDoc,
      [](const ComponentId& id, const NopOptions&, const BuildContext& context) {
        return std::make_unique<NopExporter>(id, context);
      },
      EverySignal());
}

}  // namespace spanloom::pipeline
