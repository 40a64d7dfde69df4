// SPDX-License-Identifier: Apache-2.0
//
// The filter processor: drops spans for which one of its OTTL conditions holds, before they cost anything further.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "config/options.h"
#include "ottl/condition.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

struct FilterTracesOptions {
  std::vector<std::string> span;  // OTTL conditions
  void Declare(config::OptionsReader& r);
};

struct FilterOptions {
  // What an error while a condition is evaluated would mean. No condition that this version compiles can fail, so that
  // each mode does the same.
  enum class ErrorMode : uint8_t { kIgnore, kSilent, kPropagate };
  ErrorMode error_mode = ErrorMode::kIgnore;
  FilterTracesOptions traces;
  void Declare(config::OptionsReader& r);
};

// Thread-safe; holds nothing.
class FilterProcessor final : public TransformProcessor {
 public:
  FilterProcessor(const ComponentId& id, const FilterOptions& options, const BuildContext& context);

  // Warns of conditions that drop more than they seem to.
  Status Start() override;
  // Always OK.
  Status Process(otlp::Batch& batch) override;

 private:
  const std::string id_;
  const std::vector<std::string> condition_texts_;
  const ottl::SpanConditions conditions_;
  Counter& filtered_;
};

// Processor type "filter".
void RegisterFilterProcessor(Registry& registry);

}  // namespace spanloom::pipeline
