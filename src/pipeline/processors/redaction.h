// SPDX-License-Identifier: Apache-2.0
//
// The redaction processor: removes attributes that are not allowed, and masks values that must not be passed on, of
// resources, scopes, spans and events.

#pragma once

#include <absl/container/flat_hash_set.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "config/options.h"
#include "otlp/batch.h"
#include "otlp/editor.h"
#include "pipeline/processors/db_sanitizer.h"
#include "pipeline/processors/pattern.h"
#include "pipeline/processors/skip_conditions.h"
#include "pipeline/processors/url_sanitizer.h"
#include "pipeline/processors/value_mask.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

struct RedactionOptions {
  // What a span says of what was done to it: names and counts, counts, nothing.
  enum class Summary : uint8_t { kDebug, kInfo, kSilent };

  bool allow_all_keys = false;
  std::vector<std::string> allowed_keys;
  std::vector<std::string> ignored_keys;
  std::vector<std::string> ignored_key_patterns;
  bool redact_all_types = false;
  std::vector<std::string> blocked_key_patterns;
  std::vector<std::string> blocked_values;
  std::vector<std::string> allowed_values;
  std::string hash_function;  // "" or a name that ValueMask knows, in either case
  std::string hmac_key;
  Summary summary = Summary::kSilent;
  UrlSanitizerOptions url_sanitizer;
  DbSanitizerOptions db_sanitizer;
  std::vector<std::string> skip_conditions;
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

// Thread-safe; holds nothing.
class RedactionProcessor final : public TransformProcessor {
 public:
  // `clock` outlives the processor.
  RedactionProcessor(const ComponentId& id, const RedactionOptions& options, const Clock& clock);

  // Warns if spans would lose the name of their service.
  Status Start() override;
  // kInvalidArgument if a skip condition fails.
  Status Process(otlp::Batch& batch) override;

 private:
  // What is to be done to the attributes of one message, and was.
  struct Findings;
  // What conditions leave alone, while the spans of a slice are visited.
  struct Skips {
    bool resource = false;
    bool scope = false;
    Status error = absl::OkStatus();
  };

  void RedactSpan(otlp::SpanEditContext& edited, Skips& skips) const;
  void RedactEvents(otlp::SpanEditContext& edited, const std::vector<bool>& skipped, std::string_view db_system) const;
  void SanitizeName(otlp::SpanEditor& span) const;
  // `db_system` is the database of what the attributes belong to, if they name none; returns the one that counted.
  template <typename View, uint32_t kField>
  std::string Redact(otlp::ViewEditor<View, kField>& editor, std::string_view db_system = "") const;
  void Judge(const otlp::AttributeView& attribute, std::string_view db_system, Findings& findings) const;
  void Apply(const Findings& findings, otlp::MessageEditor& editor) const;
  void Summarise(const std::vector<std::string>& keys, std::string_view name, otlp::MessageEditor& editor) const;
  [[nodiscard]] bool IsIgnored(std::string_view key) const;
  [[nodiscard]] bool IsAllowed(std::string_view key) const;
  [[nodiscard]] std::string WithoutBlocked(std::string_view text) const;
  [[nodiscard]] std::string Sanitized(std::string_view key, std::string_view db_system, std::string text) const;
  [[nodiscard]] bool IsSanitized(std::string_view key) const;

  const std::string id_;
  const bool allow_all_keys_;
  const bool redact_all_types_;
  const RedactionOptions::Summary summary_;
  const ValueMask mask_;
  absl::flat_hash_set<std::string> allowed_keys_;
  absl::flat_hash_set<std::string> ignored_keys_;
  const PatternList ignored_key_patterns_;
  const PatternList blocked_key_patterns_;
  const PatternList blocked_values_;
  const PatternList allowed_values_;
  // What becomes of an empty value, as which every value that is no text counts: most of those of a span.
  const bool is_empty_allowed_;
  const bool is_empty_blocked_;
  const std::optional<UrlSanitizer> url_sanitizer_;  // nullopt if it is not enabled
  const DbSanitizer db_sanitizer_;
  const SkipConditions skip_conditions_;
};

// Processor type "redaction".
void RegisterRedactionProcessor(Registry& registry);

}  // namespace spanloom::pipeline
