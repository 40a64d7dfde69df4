// SPDX-License-Identifier: Apache-2.0
//
// A list of actions on the attributes of a span or a resource, as the processors `attributes` and `resource` take it
// from their options: insert, update, upsert, delete, hash, extract, convert, in the order in which they were written.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "config/options.h"
#include "otlp/message_editor.h"
#include "otlp/request_origin.h"
#include "pipeline/processors/attribute_value.h"
#include "pipeline/processors/context_source.h"
#include "pipeline/processors/pattern.h"

namespace spanloom::pipeline {

struct AttributeActionOptions {
  std::string key;
  std::string action;  // in either case
  std::optional<config::Node> value;
  std::string from_attribute;
  std::string from_context;
  std::optional<config::Node> default_value;
  std::string pattern;
  std::string converted_type;
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

// Immutable; thread-safe.
class AttributeActions {
 public:
  // `options` have passed Validate.
  explicit AttributeActions(const std::vector<AttributeActionOptions>& options);

  // Carries out all actions on the attributes of `editor`, each on what the ones before it left. `origin` is that of
  // the request; null if nobody knows.
  void Apply(otlp::MessageEditor& editor, const otlp::RequestOrigin* origin) const;

 private:
  enum class Kind : uint8_t { kInsert, kUpdate, kUpsert, kDelete, kHash, kExtract, kConvert };
  enum class Type : uint8_t { kString, kInt, kDouble };
  struct Action {
    Kind kind;
    std::string key;                               // "" if only `pattern` says which
    std::optional<ConfiguredValue> value;          // of those that set
    std::string from_attribute;                    // of those that set without a value; "" if there is none
    std::optional<ContextSource> context;          // of those that set without both
    std::optional<ConfiguredValue> default_value;  // where from_attribute or `context` finds nothing
    std::optional<Pattern> pattern;                // of keys; of kExtract: of the value
    Type converted_type = Type::kString;           // of kConvert
  };

  static std::optional<Kind> ReadKind(std::string_view text);
  static std::optional<Type> ReadType(std::string_view text);
  static Action Compiled(const AttributeActionOptions& options);
  static std::optional<otlp::ValueView> SourceOf(const Action& action, const otlp::MessageEditor& editor);
  static void ApplyOne(const Action& action, otlp::MessageEditor& editor, const otlp::RequestOrigin* origin);
  static void Set(const Action& action, otlp::MessageEditor& editor, const otlp::RequestOrigin* origin);
  static void Convert(const Action& action, otlp::MessageEditor& editor);

  friend struct AttributeActionOptions;  // knows what there is

  std::vector<Action> actions_;
};

}  // namespace spanloom::pipeline
