// SPDX-License-Identifier: Apache-2.0

#include "ottl/grok.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "ottl/text_format.h"

namespace spanloom::ottl {
namespace {

constexpr int kDepthMax = 32;              // patterns in patterns; guess
constexpr size_t kExpandedMax = 64 << 10;  // bytes of the regular expression; guess

// "NAME", "NAME:id" or "NAME:id:type".
struct Reference {
  std::string_view pattern;
  std::string_view id;
  std::string_view type;
};

Reference ReferenceOf(std::string_view text) {
  Reference reference;
  for (std::string_view* part : {&reference.pattern, &reference.id, &reference.type}) {
    const size_t colon = std::min(text.find(':'), text.size());
    *part = text.substr(0, colon);
    text.remove_prefix(std::min(colon + 1, text.size()));
  }
  return reference;
}

bool IsNamedGroup(std::string_view text) {
  return text.starts_with("(?P<") ||
         (text.starts_with("(?<") && !text.starts_with("(?<=") && !text.starts_with("(?<!"));
}

Value Typed(std::string_view text, std::string_view type, Arena& arena) {
  const Value plain = Value::String(arena.Copy(text));
  if (type == "int" || type == "long") {
    const auto number = ParseInteger(text);
    return number ? Value::Int(*number) : plain;
  }
  if (type == "float" || type == "double") {
    const auto number = ParseDouble(text);
    return number ? Value::Double(*number) : plain;
  }
  if (type == "bool" || type == "boolean") {
    return text == "true" ? Value::Bool(true) : text == "false" ? Value::Bool(false) : plain;
  }
  return plain;
}

}  // namespace

// Puts the regular expression together, counting groups as it goes.
class GrokCompiler {
 public:
  GrokCompiler(bool names_only, std::span<const std::string> definitions) : names_only_(names_only) {
    for (const std::string& definition : definitions) {
      const size_t equal = definition.find('=');
      if (equal != std::string::npos) definitions_[definition.substr(0, equal)] = definition.substr(equal + 1);
    }
  }

  StatusOr<std::unique_ptr<const GrokPattern>> Run(std::string_view pattern) {
    auto grok = std::make_unique<GrokPattern>();
    RETURN_IF_ERROR(Expand(pattern, 0));
    ASSIGN_OR_RETURN(grok->pattern_, Pattern::Compile("ExtractGrokPatterns", regex_));
    grok->captures_ = std::move(captures_);
    if (names_only_ && grok->captures_.empty()) {
      return absl::InvalidArgumentError("at least 1 named capture group must be supplied in the given regex");
    }
    return std::unique_ptr<const GrokPattern>(std::move(grok));
  }

 private:
  Status Expand(std::string_view pattern, int depth) {
    if (depth > kDepthMax || regex_.size() > kExpandedMax) {
      return absl::InvalidArgumentError("a grok pattern that contains itself, or is too large");
    }
    bool in_class = false;
    while (!pattern.empty()) {
      if (pattern[0] == '\\' && pattern.size() > 1) {
        Copy(pattern, 2);
      } else if (pattern.starts_with("%{") && pattern.find('}') != std::string_view::npos) {
        const size_t end = pattern.find('}');
        RETURN_IF_ERROR(Refer(ReferenceOf(pattern.substr(2, end - 2)), depth));
        pattern.remove_prefix(end + 1);
      } else if (!in_class && IsNamedGroup(pattern)) {
        NamedGroup(pattern);
      } else {
        if (!in_class && pattern[0] == '(' && !pattern.starts_with("(?")) ++groups_;
        in_class = in_class ? pattern[0] != ']' : pattern[0] == '[';
        Copy(pattern, 1);
      }
    }
    return absl::OkStatus();
  }

  void Copy(std::string_view& pattern, size_t size) {
    regex_ += pattern.substr(0, size);
    pattern.remove_prefix(size);
  }

  // "(?P<name>" becomes a plain group, because its name may have dots.
  void NamedGroup(std::string_view& pattern) {
    const size_t begin = pattern.find('<') + 1;
    const size_t end = std::min(pattern.find('>', begin), pattern.size());
    Open(pattern.substr(begin, end - begin), "");
    pattern.remove_prefix(std::min(end + 1, pattern.size()));
  }

  void Open(std::string_view name, std::string_view type) {
    regex_ += '(';
    captures_.push_back({++groups_, std::string(name), std::string(type)});
  }

  Status Refer(const Reference& reference, int depth) {
    const auto defined = definitions_.find(AbslView(reference.pattern));
    // A copy: what is defined may refer to something else.
    const std::string pattern =
        defined != definitions_.end() ? defined->second : std::string(KnownGrokPattern(reference.pattern));
    if (pattern.empty()) {
      return absl::InvalidArgumentError(
          StrCat("grok pattern ", reference.pattern, " is not known; define it in patternDefinitions"));
    }
    const bool is_captured = !reference.id.empty() || !names_only_;
    if (is_captured) {
      Open(reference.id.empty() ? reference.pattern : reference.id, reference.type);
    } else {
      regex_ += "(?:";
    }
    RETURN_IF_ERROR(Expand(pattern, depth + 1));
    regex_ += ')';
    return absl::OkStatus();
  }

  bool names_only_;
  absl::flat_hash_map<std::string, std::string> definitions_;
  std::string regex_;
  int groups_ = 0;
  std::vector<GrokPattern::Capture> captures_;
};

StatusOr<std::unique_ptr<const GrokPattern>> GrokPattern::Compile(std::string_view pattern, bool names_only,
                                                                  std::span<const std::string> definitions) {
  return GrokCompiler(names_only, definitions).Run(pattern);
}

std::vector<Entry> GrokPattern::Extract(std::string_view text, Arena& arena) const {
  const re2::StringPiece piece(text.data(), text.size());
  std::vector<re2::StringPiece> groups(static_cast<size_t>(pattern_->re2().NumberOfCapturingGroups()) + 1);
  std::vector<Entry> entries;
  if (!pattern_->re2().Match(piece, 0, text.size(), re2::RE2::UNANCHORED, groups.data(),
                             static_cast<int>(groups.size()))) {
    return entries;
  }
  for (const Capture& capture : captures_) {
    const re2::StringPiece& group = groups[static_cast<size_t>(capture.group)];
    if (group.data() == nullptr) continue;
    const Value value = Typed({group.data(), group.size()}, capture.type, arena);
    const auto same =
        std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.key == capture.name; });
    if (same == entries.end()) {
      entries.push_back({capture.name, value});
    } else {
      same->value = value;
    }
  }
  return entries;
}

}  // namespace spanloom::ottl
