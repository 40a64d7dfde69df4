// SPDX-License-Identifier: Apache-2.0
//
// The filter processor: drops spans for which one of its OTTL conditions holds, before they cost anything further.

#pragma once

#include <chrono>
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

// Answers what the next consumer answers; OK at once if no span is left. Thread-safe; holds nothing.
class FilterProcessor final : public Processor {
 public:
  FilterProcessor(const ComponentId& id, const FilterOptions& options, const BuildContext& context, Consumer& next);

  // Warns of conditions that drop more than they seem to.
  Status Start() override;
  void Stop(std::chrono::milliseconds) override {}
  void Consume(otlp::Batch batch, Done done) override;

 private:
  const std::string id_;
  const std::vector<std::string> condition_texts_;
  const ottl::SpanConditions conditions_;
  Consumer& next_;
  Counter& incoming_;
  Counter& outgoing_;
  Counter& filtered_;
};

// Processor type "filter".
void RegisterFilterProcessor(Registry& registry);

}  // namespace spanloom::pipeline
