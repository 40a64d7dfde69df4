// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/attributes.h"

#include <memory>

namespace spanloom::pipeline {
namespace {

constexpr ComponentDoc kDoc = {
    .words =
        "Sets, deletes, hashes, extracts and converts attributes of spans: the actions are carried out in their "
        "order, each on what the ones before it left. Other bytes of a span stay as they came. The hash is SHA-256, "
        "as the Collector's since 0.85; it does not hide what can be guessed.",
    .example = R"(processors:
  attributes/users:
    include:
      match_type: regexp
      services: ["^vllm-"]
    actions:
      - key: enduser.id
        action: hash
      - key: url.full
        action: extract
        pattern: ^https?://(?P<server_address>[^/:]+)
      - key: http.request.header.authorization
        action: delete
      - key: deployment.environment
        action: insert
        value: staging
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [attributes/users]
      exporters: [spanloom_store]
)",
};

}  // namespace

void AttributesOptions::Declare(config::OptionsReader& r) {
  selection.Declare(r);
  r.Field("actions", actions, "What is done, in this order.");
}

Status AttributesOptions::Validate() const {
  return actions.empty() ? absl::InvalidArgumentError("actions must name at least one action") : absl::OkStatus();
}

AttributesProcessor::AttributesProcessor(const AttributesOptions& options)
    : selection_(options.selection), actions_(options.actions) {}

Status AttributesProcessor::Process(otlp::Batch& batch) {
  for (otlp::Slice& slice : batch.slices()) {
    const otlp::RequestOrigin* origin = slice.origin().get();
    slice.EditSpans([&](otlp::SpanEditContext& span) {
      if (selection_.Selects(span)) actions_.Apply(span.span(), origin);
    });
  }
  return absl::OkStatus();
}

void RegisterAttributesProcessor(Registry& registry) {
  registry.processors.Add<AttributesOptions>(
      "attributes", kDoc, [](const ComponentId&, const AttributesOptions& options, const BuildContext&) {
        return std::make_unique<AttributesProcessor>(options);
      });
}

}  // namespace spanloom::pipeline
