// SPDX-License-Identifier: Apache-2.0
//
// The resource processor: sets, deletes, hashes, extracts and converts attributes of resources, once for all the spans
// of a resource.

#pragma once

#include <vector>

#include "config/options.h"
#include "pipeline/processors/attribute_actions.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

struct ResourceOptions {
  std::vector<AttributeActionOptions> attributes;
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

// Thread-safe; holds nothing.
class ResourceProcessor final : public TransformProcessor {
 public:
  explicit ResourceProcessor(const ResourceOptions& options);

  // Always OK.
  Status Process(otlp::Batch& batch) override;

 private:
  const AttributeActions actions_;
};

// Processor type "resource".
void RegisterResourceProcessor(Registry& registry);

}  // namespace spanloom::pipeline
