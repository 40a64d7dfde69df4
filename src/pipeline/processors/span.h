// SPDX-License-Identifier: Apache-2.0
//
// The span processor: names a span after its attributes, takes attributes out of its name, sets its status.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/options.h"
#include "otlp/editor.h"
#include "pipeline/processors/pattern.h"
#include "pipeline/processors/span_matcher.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

struct SpanToAttributesOptions {
  std::vector<std::string> rules;  // regular expressions with named groups
  bool break_after_match = false;
  bool keep_original_name = false;
  void Declare(config::OptionsReader& r);
};

struct SpanNameOptions {
  std::vector<std::string> from_attributes;
  std::string separator;
  std::optional<SpanToAttributesOptions> to_attributes;
  void Declare(config::OptionsReader& r);
};

struct SpanStatusOptions {
  std::string code;  // "Ok", "Error" or "Unset"
  std::string description;
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct SpanOptions {
  SpanSelectionOptions selection;
  SpanNameOptions name;
  std::optional<SpanStatusOptions> status;
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

// Thread-safe; holds nothing.
class SpanProcessor final : public TransformProcessor {
 public:
  explicit SpanProcessor(const SpanOptions& options);

  // Always OK.
  Status Process(otlp::Batch& batch) override;

 private:
  struct NewStatus {
    otlp::StatusCode code;
    std::string message;
  };

  void NameAfterAttributes(otlp::SpanEditor& span) const;
  void TakeAttributesFromName(otlp::SpanEditor& span) const;

  const SpanSelection selection_;
  const std::vector<std::string> from_attributes_;
  const std::string separator_;
  const PatternList rules_;
  const bool break_after_match_;
  const bool keep_original_name_;
  const std::optional<NewStatus> status_;
};

// Processor type "span".
void RegisterSpanProcessor(Registry& registry);

}  // namespace spanloom::pipeline
