// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/attribute_actions.h"

#include <absl/strings/ascii.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "ottl/digest.h"

namespace spanloom::pipeline {
namespace {

using otlp::ValueView;
using ValueKind = otlp::ValueView::Kind;

Status Invalid(std::string_view message) {
  return absl::InvalidArgumentError(AbslView(message));
}

std::optional<int64_t> AsInt(const ValueView& value) {
  switch (value.kind()) {
    case ValueKind::kDouble: {
      const double whole = std::trunc(value.double_value());
      if (!(whole >= -0x1p63 && whole < 0x1p63)) return std::nullopt;
      return static_cast<int64_t>(whole);
    }
    case ValueKind::kBool:
      return value.bool_value() ? 1 : 0;
    case ValueKind::kString:
      return ReadWholeNumber(value.string_value());
    default:
      return std::nullopt;
  }
}

std::optional<double> AsDouble(const ValueView& value) {
  switch (value.kind()) {
    case ValueKind::kInt:
      return static_cast<double>(value.int_value());
    case ValueKind::kBool:
      return value.bool_value() ? 1 : 0;
    case ValueKind::kString:
      return ReadDecimal(value.string_value());
    default:
      return std::nullopt;
  }
}

std::string LittleEndian(uint64_t bits) {
  std::string bytes;
  for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<char>(bits >> shift & 0xFF));
  return bytes;
}

// What of a value the Collector hashes; nullopt for kinds that it does not know to hash.
std::optional<std::string> HashedBytes(const ValueView& value) {
  switch (value.kind()) {
    case ValueKind::kString:
      return std::string(value.string_value());
    case ValueKind::kBool:
      return std::string(1, value.bool_value() ? '\1' : '\0');
    case ValueKind::kInt:
      return LittleEndian(static_cast<uint64_t>(value.int_value()));
    case ValueKind::kDouble:
      return LittleEndian(std::bit_cast<uint64_t>(value.double_value()));
    default:
      return std::nullopt;
  }
}

std::string HashOf(const ValueView& value) {
  const std::optional<std::string> bytes = HashedBytes(value);
  return bytes ? ottl::HexDigest(ottl::Digest::kSha256, *bytes) : "";
}

void HashMatching(const Pattern& keys, otlp::MessageEditor& editor) {
  editor.RewriteAttributes([&](const otlp::AttributeView& attribute, otlp::AttributeWriter& writer) {
    if (keys.Matches(attribute.key())) {
      writer.String(attribute.key(), HashOf(attribute.value()));
    } else {
      writer.Copy(attribute);
    }
  });
}

void DeleteMatching(const Pattern& keys, otlp::MessageEditor& editor) {
  editor.RewriteAttributes([&](const otlp::AttributeView& attribute, otlp::AttributeWriter& writer) {
    if (!keys.Matches(attribute.key())) writer.Copy(attribute);
  });
}

// Groups become attributes; one that took no part in the match is an empty text, as in Go.
void Extract(const std::string& key, const Pattern& pattern, otlp::MessageEditor& editor) {
  const std::optional<ValueView> value = editor.FindAttribute(key);
  if (!value || value->kind() != ValueKind::kString) return;
  const std::string text(value->string_value());
  std::vector<std::string_view> groups;
  if (!pattern.Find(text, groups)) return;
  for (size_t i = 1; i < groups.size(); ++i) editor.SetString(pattern.group_names()[i], groups[i]);
}

// Of kExtract: each group names an attribute.
Status CheckExtraction(const std::string& expression) {
  if (expression.empty()) return Invalid("pattern is needed by the action extract");
  RETURN_IF_ERROR(CheckPatternOf("pattern", expression));
  const StatusOr<Pattern> pattern = Pattern::Compile(expression);
  const std::vector<std::string>& names = pattern->group_names();
  if (names.size() == 1) return Invalid("pattern has no group; write (?P<attribute>...) around what is extracted");
  const bool are_named = std::all_of(names.begin() + 1, names.end(), [](const auto& name) { return !name.empty(); });
  return are_named ? absl::OkStatus() : Invalid("pattern has a group without a name; write (?P<attribute>...)");
}

Status CheckValue(std::string_view name, const std::optional<config::Node>& node) {
  const Status status = node ? ConfiguredValue::Make(*node).status() : absl::OkStatus();
  return status.ok() ? status : Invalid(StrCat(name, " ", StdView(status.message())));
}

}  // namespace

void AttributeActionOptions::Declare(config::OptionsReader& r) {
  r.Field("key", key, "The attribute that the action is about; delete and hash may name a pattern instead.");
  r.Field("action", action,
          "insert (if the key is not there), update (if it is), upsert (in any case), delete, hash (SHA-256), extract "
          "(groups of a pattern become attributes) or convert.");
  r.Field("value", value, "What insert, update and upsert set; it has the type that it is written with.");
  r.Field("from_attribute", from_attribute, "The attribute whose value insert, update and upsert set.");
  r.Field("from_context", from_context,
          "What came with the request, which insert, update and upsert set: metadata.KEY, a header (of receivers with "
          "include_metadata), client.address, or auth.KEY, which an authenticator found out, such as auth.username. "
          "Several values are joined by \";\".");
  r.Field("default_value", default_value,
          "What insert, update and upsert set where from_attribute or from_context is not there; without it nothing "
          "happens then.");
  r.Field("pattern", pattern,
          "A regular expression: of delete and hash for the keys they are about, of extract for the value of key, with "
          "named groups.");
  r.Field("converted_type", converted_type, "What convert makes of the value: string, int or double.");
}

std::optional<AttributeActions::Kind> AttributeActions::ReadKind(std::string_view text) {
  static constexpr std::pair<std::string_view, Kind> kKinds[] = {
      {"insert", Kind::kInsert}, {"update", Kind::kUpdate},   {"upsert", Kind::kUpsert},  {"delete", Kind::kDelete},
      {"hash", Kind::kHash},     {"extract", Kind::kExtract}, {"convert", Kind::kConvert}};
  const std::string lower = absl::AsciiStrToLower(AbslView(text));
  for (const auto& [name, kind] : kKinds) {
    if (name == lower) return kind;
  }
  return std::nullopt;
}

std::optional<AttributeActions::Type> AttributeActions::ReadType(std::string_view text) {
  static constexpr std::pair<std::string_view, Type> kTypes[] = {
      {"string", Type::kString}, {"int", Type::kInt}, {"double", Type::kDouble}};
  for (const auto& [name, type] : kTypes) {
    if (name == text) return type;
  }
  return std::nullopt;
}

Status AttributeActionOptions::Validate() const {
  using Kind = AttributeActions::Kind;
  const std::optional<Kind> kind = AttributeActions::ReadKind(action);
  if (!kind) return Invalid("action must be one of insert, update, upsert, delete, hash, extract, convert");
  const bool sets = *kind == Kind::kInsert || *kind == Kind::kUpdate || *kind == Kind::kUpsert;
  const bool takes_keys = *kind == Kind::kDelete || *kind == Kind::kHash;
  const std::pair<std::string_view, bool> not_used[] = {
      {"value", value && !sets},
      {"from_attribute", !from_attribute.empty() && !sets},
      {"from_context", !from_context.empty() && !sets},
      {"default_value", default_value && !sets},
      {"pattern", !pattern.empty() && !takes_keys && *kind != Kind::kExtract},
      {"converted_type", !converted_type.empty() && *kind != Kind::kConvert}};
  for (const auto& [name, is_wrong] : not_used) {
    if (is_wrong) return Invalid(StrCat(name, " is not used by the action ", action));
  }
  if (key.empty() && !takes_keys) return Invalid("key is missing");
  if (key.empty() && pattern.empty()) return Invalid("key or pattern is missing");
  const int sources = (value ? 1 : 0) + (from_attribute.empty() ? 0 : 1) + (from_context.empty() ? 0 : 1);
  if (sources > 1) return Invalid("value, from_attribute and from_context exclude each other");
  if (sets && sources == 0 && !default_value) {
    return Invalid("value, from_attribute, from_context or default_value is missing");
  }
  RETURN_IF_ERROR(CheckValue("value", value));
  RETURN_IF_ERROR(CheckValue("default_value", default_value));
  if (*kind == Kind::kExtract) return CheckExtraction(pattern);
  if (*kind == Kind::kConvert && !AttributeActions::ReadType(converted_type)) {
    return Invalid("converted_type must be one of string, int, double");
  }
  return pattern.empty() ? absl::OkStatus() : CheckPatternOf("pattern", pattern);
}

AttributeActions::Action AttributeActions::Compiled(const AttributeActionOptions& options) {
  const auto compiled = [](const std::optional<config::Node>& node) {
    return node ? std::optional(*ConfiguredValue::Make(*node)) : std::nullopt;
  };
  Action action = {.kind = *ReadKind(options.action),
                   .key = options.key,
                   .value = compiled(options.value),
                   .from_attribute = options.from_attribute,
                   .context = std::nullopt,
                   .default_value = compiled(options.default_value),
                   .pattern = std::nullopt,
                   .converted_type = ReadType(options.converted_type).value_or(Type::kString)};
  if (!options.from_context.empty()) action.context.emplace(options.from_context);
  if (!options.pattern.empty()) action.pattern = *Pattern::Compile(options.pattern);
  return action;
}

AttributeActions::AttributeActions(const std::vector<AttributeActionOptions>& options) {
  for (const AttributeActionOptions& action : options) {
    CHECK(action.Validate().ok());
    actions_.push_back(Compiled(action));
  }
}

void AttributeActions::Apply(otlp::MessageEditor& editor, const otlp::RequestOrigin* origin) const {
  for (const Action& action : actions_) ApplyOne(action, editor, origin);
}

// Of an action without context, or whose context has nothing. nullopt: there is nothing to set.
std::optional<ValueView> AttributeActions::SourceOf(const Action& action, const otlp::MessageEditor& editor) {
  if (action.value) return action.value->view();
  if (!action.from_attribute.empty()) {
    if (const auto found = editor.FindAttribute(action.from_attribute)) return found;
  }
  return action.default_value ? std::optional(action.default_value->view()) : std::nullopt;
}

void AttributeActions::Set(const Action& action, otlp::MessageEditor& editor, const otlp::RequestOrigin* origin) {
  if (action.kind != Kind::kUpsert) {
    const bool is_there = editor.FindAttribute(action.key).has_value();
    if (is_there != (action.kind == Kind::kUpdate)) return;
  }
  const auto carried = action.context ? action.context->Find(origin) : std::nullopt;
  if (carried) return editor.SetString(action.key, *carried);
  if (const auto source = SourceOf(action, editor)) editor.SetEncoded(action.key, source->wire());
}

// A value that cannot be converted stays as it is.
void AttributeActions::Convert(const Action& action, otlp::MessageEditor& editor) {
  const std::optional<ValueView> value = editor.FindAttribute(action.key);
  if (!value) return;
  switch (action.converted_type) {
    case Type::kString:
      if (value->kind() != ValueKind::kString) editor.SetString(action.key, ValueAsString(*value));
      return;
    case Type::kInt:
      if (const auto integer = AsInt(*value)) editor.SetInt(action.key, *integer);
      return;
    case Type::kDouble:
      if (const auto number = AsDouble(*value)) editor.SetDouble(action.key, *number);
      return;
  }
}

void AttributeActions::ApplyOne(const Action& action, otlp::MessageEditor& editor, const otlp::RequestOrigin* origin) {
  switch (action.kind) {
    case Kind::kInsert:
    case Kind::kUpdate:
    case Kind::kUpsert:
      return Set(action, editor, origin);
    case Kind::kDelete:
      if (!action.key.empty()) editor.DeleteAttribute(action.key);
      if (action.pattern) DeleteMatching(*action.pattern, editor);
      return;
    case Kind::kHash:
      if (const auto value = editor.FindAttribute(action.key)) editor.SetString(action.key, HashOf(*value));
      if (action.pattern) HashMatching(*action.pattern, editor);
      return;
    case Kind::kExtract:
      return Extract(action.key, *action.pattern, editor);
    case Kind::kConvert:
      return Convert(action, editor);
  }
}

}  // namespace spanloom::pipeline
