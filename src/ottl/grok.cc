// SPDX-License-Identifier: Apache-2.0

#include "ottl/grok.h"

#include <absl/strings/str_replace.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "ottl/lexer.h"
#include "ottl/map_builder.h"
#include "ottl/named_groups.h"
#include "ottl/text_format.h"

namespace spanloom::ottl {
namespace {

constexpr int kDepthMax = 32;              // patterns in patterns; guess
constexpr size_t kExpandedMax = 64 << 10;  // bytes of the regular expression; guess

// Go takes no point in the name of a group.
constexpr std::string_view kPoint = "___";

// "%{NAME}", "%{NAME:id}" or "%{NAME:id:type}".
struct Reference {
  std::string_view pattern;
  std::string_view id;
  std::string_view type;
  size_t size = 0;  // of all of it
};

bool IsId(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c == '.' || c == '+' || IsGroupName({&c, 1});
  });
}

// What `text` begins with; nullopt if it is no reference, and so a part of the expression.
std::optional<Reference> ReferenceAt(std::string_view text) {
  const size_t end = text.find('}');
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view inner = text.substr(2, end - 2);
  Reference reference{.size = end + 1};
  size_t parts = 0;
  for (std::string_view* part : {&reference.pattern, &reference.id, &reference.type}) {
    const size_t colon = inner.find(':');
    *part = inner.substr(0, colon);
    ++parts;
    if (colon == std::string_view::npos) {
      inner = {};
      break;
    }
    inner.remove_prefix(colon + 1);
    if (parts == 3) return std::nullopt;
  }
  const bool is_reference =
      IsGroupName(reference.pattern) && (parts < 2 || IsId(reference.id)) && (parts < 3 || IsGroupName(reference.type));
  return is_reference ? std::optional(reference) : std::nullopt;
}

// Without a type, the text itself. nullopt if it is no value of the type, or if there is no such type.
std::optional<Value> Typed(std::string_view text, std::string_view type) {
  const auto value_of = [](const auto& parsed, auto make) {
    return parsed ? std::optional<Value>(make(*parsed)) : std::nullopt;
  };
  if (type.empty() || type == "string") return Value::String(text);
  if (type == "int" || type == "long") return value_of(ParseInteger(text), Value::Int);
  if (type == "float" || type == "double") return value_of(ParseDouble(text), Value::Double);
  if (type == "bool" || type == "boolean") return value_of(ParseBool(text), Value::Bool);
  return std::nullopt;
}

}  // namespace

// Puts the regular expression together.
class GrokCompiler {
 public:
  explicit GrokCompiler(bool names_only) : names_only_(names_only), grok_(std::make_unique<GrokPattern>()) {}

  Status Define(std::span<const std::string> definitions) {
    for (const std::string& definition : definitions) {
      const size_t equal = definition.find('=');
      if (equal == std::string::npos) {
        return absl::InvalidArgumentError(StrCat("pattern ", Quoted(definition),
                                                 " supplied to ExtractGrokPatterns has incorrect format, expecting "
                                                 "PATTERNNAME=pattern definition"));
      }
      const std::string name = definition.substr(0, equal);
      if (name.find(':') != std::string::npos) {
        return absl::InvalidArgumentError(StrCat("pattern ID ", Quoted(name), " should not contain ':'"));
      }
      definitions_[name] = definition.substr(equal + 1);
    }
    return absl::OkStatus();
  }

  StatusOr<std::unique_ptr<const GrokPattern>> Run(std::string_view pattern) {
    RETURN_IF_ERROR(Expand(pattern, 0));
    ASSIGN_OR_RETURN(grok_->pattern_, Pattern::Compile("ExtractGrokPatterns", regex_));
    if (names_only_ && grok_->pattern_->re2().CapturingGroupNames().empty()) {
      return absl::InvalidArgumentError("at least 1 named capture group must be supplied in the given regex");
    }
    return std::unique_ptr<const GrokPattern>(std::move(grok_));
  }

 private:
  Status Expand(std::string_view pattern, int depth) {
    if (depth > kDepthMax || regex_.size() > kExpandedMax) {
      return absl::InvalidArgumentError("a grok pattern that contains itself, or is too large");
    }
    while (!pattern.empty()) {
      const size_t at = std::min(pattern.find("%{"), pattern.size());
      regex_ += pattern.substr(0, at);
      pattern.remove_prefix(at);
      if (pattern.empty()) break;
      const auto reference = ReferenceAt(pattern);
      if (reference) RETURN_IF_ERROR(Refer(*reference, depth));
      if (!reference) regex_ += pattern.front();
      pattern.remove_prefix(reference ? reference->size : 1);
    }
    return absl::OkStatus();
  }

  Status Refer(const Reference& reference, int depth) {
    const auto defined = definitions_.find(AbslView(reference.pattern));
    const std::string_view known = KnownGrokPattern(reference.pattern);
    if (defined == definitions_.end() && known.empty()) {
      return absl::InvalidArgumentError(
          StrCat("grok pattern ", reference.pattern, " is not known; define it in patternDefinitions"));
    }
    const std::string_view id = reference.id.empty() ? reference.pattern : reference.id;
    const std::string group = absl::StrReplaceAll(AbslView(id), {{".", AbslView(kPoint)}});
    if (!reference.type.empty()) grok_->types_[group] = reference.type;
    const bool is_captured = !reference.id.empty() || !names_only_;
    regex_ += is_captured ? StrCat("(?P<", group, ">") : "(";
    RETURN_IF_ERROR(Expand(defined == definitions_.end() ? known : std::string_view(defined->second), depth + 1));
    regex_ += ')';
    return absl::OkStatus();
  }

  bool names_only_;
  absl::flat_hash_map<std::string, std::string> definitions_;
  std::string regex_;
  std::unique_ptr<GrokPattern> grok_;
};

StatusOr<std::unique_ptr<const GrokPattern>> GrokPattern::Compile(std::string_view pattern, bool names_only,
                                                                  std::span<const std::string> definitions) {
  GrokCompiler compiler(names_only);
  RETURN_IF_ERROR(compiler.Define(definitions));
  return compiler.Run(pattern);
}

StatusOr<std::vector<Entry>> GrokPattern::Extract(std::string_view text, Arena& arena) const {
  const re2::RE2& pattern = pattern_->re2();
  std::vector<re2::StringPiece> groups(static_cast<size_t>(pattern.NumberOfCapturingGroups()) + 1);
  MapBuilder map;
  if (!pattern.Match({text.data(), text.size()}, 0, text.size(), re2::RE2::UNANCHORED, groups.data(),
                     static_cast<int>(groups.size()))) {
    return map.entries();
  }
  for (const auto& [number, name] : pattern.CapturingGroupNames()) {
    const re2::StringPiece& group = groups[static_cast<size_t>(number)];
    if (group.empty()) continue;
    const auto type = types_.find(name);
    const std::string_view type_name = type == types_.end() ? std::string_view() : std::string_view(type->second);
    const auto value = Typed(arena.Copy(std::string_view(group.data(), group.size())), type_name);
    if (!value) return absl::InvalidArgumentError(StrCat("what ", name, " matches is no ", type_name));
    map.Set(arena.Copy(std::string_view(absl::StrReplaceAll(name, {{AbslView(kPoint), "."}}))), *value);
  }
  return map.entries();
}

}  // namespace spanloom::ottl
