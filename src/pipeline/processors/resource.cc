// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/resource.h"

#include <memory>

namespace spanloom::pipeline {
namespace {

constexpr ComponentDoc kDoc = {
    .words =
        "Sets, deletes, hashes, extracts and converts attributes of resources, as the processor `attributes` does "
        "with those of spans.",
    .example = R"(processors:
  resource/cluster:
    attributes:
      - key: k8s.cluster.name
        action: upsert
        value: prod-1
      - key: host.name
        action: delete
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [resource/cluster]
      exporters: [spanloom_store]
)",
};

}  // namespace

void ResourceOptions::Declare(config::OptionsReader& r) {
  r.Field("attributes", attributes, "What is done, in this order.");
}

Status ResourceOptions::Validate() const {
  return attributes.empty() ? absl::InvalidArgumentError("attributes must name at least one action") : absl::OkStatus();
}

ResourceProcessor::ResourceProcessor(const ResourceOptions& options) : actions_(options.attributes) {}

Status ResourceProcessor::Process(otlp::Batch& batch) {
  for (otlp::Slice& slice : batch.slices()) {
    const otlp::RequestOrigin* origin = slice.origin().get();
    slice.EditResources([&](otlp::ResourceEditor& resource) { actions_.Apply(resource, origin); });
  }
  return absl::OkStatus();
}

void RegisterResourceProcessor(Registry& registry) {
  registry.processors.Add<ResourceOptions>("resource", kDoc,
                                           [](const ComponentId&, const ResourceOptions& options, const BuildContext&) {
                                             return std::make_unique<ResourceProcessor>(options);
                                           });
}

}  // namespace spanloom::pipeline
