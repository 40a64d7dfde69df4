// SPDX-License-Identifier: Apache-2.0
//
// The attributes processor: sets, deletes, hashes, extracts and converts attributes of spans.

#pragma once

#include <vector>

#include "config/options.h"
#include "pipeline/processors/attribute_actions.h"
#include "pipeline/processors/span_matcher.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

struct AttributesOptions {
  SpanSelectionOptions selection;
  std::vector<AttributeActionOptions> actions;
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

// Thread-safe; holds nothing.
class AttributesProcessor final : public TransformProcessor {
 public:
  explicit AttributesProcessor(const AttributesOptions& options);

  // Always OK.
  Status Process(otlp::Batch& batch) override;

 private:
  const SpanSelection selection_;
  const AttributeActions actions_;
};

// Processor type "attributes".
void RegisterAttributesProcessor(Registry& registry);

}  // namespace spanloom::pipeline
