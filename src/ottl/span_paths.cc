// SPDX-License-Identifier: Apache-2.0

#include "ottl/span_paths.h"

#include <absl/strings/str_format.h>

#include <utility>

namespace spanloom::ottl {
namespace {

using otlp::SpanContext;

struct Field {
  std::string_view name;
  FieldReader read;
};

// A path may also begin with "span." for the first group, and with "instrumentation_scope." for "scope.".
constexpr Field kFields[] = {
    {"name", [](const SpanContext& c) -> Operand { return c.span.name(); }},
    {"kind", [](const SpanContext& c) -> Operand { return static_cast<int64_t>(c.span.kind()); }},
    {"status.code", [](const SpanContext& c) -> Operand { return static_cast<int64_t>(c.span.status_code()); }},
    {"status.message", [](const SpanContext& c) -> Operand { return c.span.status_message(); }},
    {"trace_state", [](const SpanContext& c) -> Operand { return c.span.trace_state(); }},
    {"flags", [](const SpanContext& c) -> Operand { return int64_t{c.span.flags()}; }},
    {"scope.name", [](const SpanContext& c) -> Operand { return c.scope.name(); }},
    {"scope.version", [](const SpanContext& c) -> Operand { return c.scope.version(); }},
};

constexpr std::pair<std::string_view, AttributeSource> kAttributes[] = {
    {"attributes", AttributeSource::kSpan},
    {"resource.attributes", AttributeSource::kResource},
    {"scope.attributes", AttributeSource::kScope},
};

constexpr std::pair<std::string_view, int64_t> kEnums[] = {
    {"SPAN_KIND_UNSPECIFIED", 0}, {"SPAN_KIND_INTERNAL", 1}, {"SPAN_KIND_SERVER", 2},
    {"SPAN_KIND_CLIENT", 3},      {"SPAN_KIND_PRODUCER", 4}, {"SPAN_KIND_CONSUMER", 5},
    {"STATUS_CODE_UNSET", 0},     {"STATUS_CODE_OK", 1},     {"STATUS_CODE_ERROR", 2},
};

// The segments joined by ".", without keys.
std::string Joined(const Path& path) {
  std::string joined;
  for (const PathSegment& segment : path.segments) joined.append(joined.empty() ? "" : ".").append(segment.name);
  return joined;
}

// The name under which the tables above have a path.
std::string TableName(const Path& path) {
  std::string name = Joined(path);
  constexpr std::string_view kSpanPrefix = "span.";
  constexpr std::string_view kScopePrefix = "instrumentation_scope.";
  if (name.starts_with(kSpanPrefix)) {
    name.erase(0, kSpanPrefix.size());
    return name.starts_with("resource.") || name.starts_with("scope.") ? Joined(path) : name;
  }
  if (name.starts_with(kScopePrefix)) return "scope." + name.substr(kScopePrefix.size());
  return name;
}

std::string ValidPaths() {
  std::string valid;
  for (const auto& [name, source] : kAttributes) valid.append(name).append("[\"...\"], ");
  for (const Field& field : kFields) valid.append(field.name).append(", ");
  return valid.substr(0, valid.size() - 2);
}

Status InvalidPath(const Path& path) {
  return absl::InvalidArgumentError(
      absl::StrFormat("segment \"%s\" from path \"%s\" is not a valid path nor a valid OTTL keyword for the span "
                      "context; valid paths: %s",
                      path.segments.front().name, Joined(path), ValidPaths()));
}

// True if only the last segment has keys, and at most `count` of them.
bool HasKeysOnlyAtTheEnd(const Path& path, size_t count) {
  for (size_t i = 0; i + 1 < path.segments.size(); ++i) {
    if (!path.segments[i].keys.empty()) return false;
  }
  return path.segments.back().keys.size() <= count;
}

StatusOr<SpanPath> ResolveAttribute(const Path& path, AttributeSource source) {
  const auto& keys = path.segments.back().keys;
  if (!HasKeysOnlyAtTheEnd(path, 1) || keys.size() != 1 || !std::holds_alternative<std::string>(keys[0])) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "path \"%s\" needs exactly one key, which is a string: %s[\"...\"]", Joined(path), Joined(path)));
  }
  return AttributePath{source, std::get<std::string>(keys[0])};
}

}  // namespace

StatusOr<SpanPath> ResolveSpanPath(const Path& path) {
  const std::string name = TableName(path);
  for (const auto& [attributes, source] : kAttributes) {
    if (name == attributes) return ResolveAttribute(path, source);
  }
  for (const Field& field : kFields) {
    if (name != field.name) continue;
    if (!HasKeysOnlyAtTheEnd(path, 0)) {
      return absl::InvalidArgumentError(absl::StrFormat("path \"%s\" takes no key", Joined(path)));
    }
    return field.read;
  }
  return InvalidPath(path);
}

StatusOr<int64_t> ResolveEnum(std::string_view symbol) {
  std::string valid;
  for (const auto& [name, value] : kEnums) {
    if (symbol == name) return value;
    valid.append(valid.empty() ? "" : ", ").append(name);
  }
  return absl::InvalidArgumentError(absl::StrFormat("enum symbol, %s, not found; valid symbols: %s", symbol, valid));
}

}  // namespace spanloom::ottl
