// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/match/text_demand.h"

#include <absl/strings/numbers.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/text.h"
#include "store/columnar/segment/text_index.h"

namespace spanloom::store::columnar {
namespace {

// Keys that are attributes and more (span_tags.h): they stand for fields, whose values are not texts of attributes.
bool IsTag(std::string_view key) {
  constexpr std::array<std::string_view, 7> kTags = {
      "span.kind",       "otel.status_code",  "error", "otel.status_description", "w3c.tracestate",
      "otel.scope.name", "otel.scope.version"};
  return std::ranges::find(kTags, key) != kTags.end();
}

// A value that is no string may read like that, to Comparison::kHasText: a number, a bool, an array, a map, or nothing.
bool MayBeNoString(std::string_view text) {
  double number = 0;
  return text.empty() || text.front() == '[' || text.front() == '{' || text == "true" || text == "false" ||
         absl::SimpleAtod(AbslView(text), &number);
}

// The text that a value must be for the condition to hold; nullopt if others will do.
std::optional<std::string_view> TextOf(const Condition& condition) {
  if (condition.operand.kind() != ValueKind::kString) return std::nullopt;
  const std::string_view text = condition.operand.cell().text();
  if (condition.comparison == Comparison::kEqual) return text;
  const bool is_text = condition.comparison == Comparison::kHasText && !MayBeNoString(text);
  return is_text ? std::optional(text) : std::nullopt;
}

}  // namespace

bool TextDemand::MayBeMetBy(const SegmentReader& reader) const {
  return std::ranges::all_of(texts_, [&](const Text& text) { return reader.MayHaveText(text.key, text.hash); });
}

void TextDemand::Add(const Predicate& predicate) {
  if (predicate.kind() == Predicate::Kind::kCondition) return Add(predicate.condition());
  if (predicate.kind() != Predicate::Kind::kAll) return;
  for (const Predicate& part : predicate.parts()) Add(part);
}

void TextDemand::Add(const Condition& condition) {
  if (!condition.field.is_attribute() || IsTag(condition.field.key)) return;
  if (const auto text = TextOf(condition)) texts_.push_back({.key = condition.field.key, .hash = HashOf(*text)});
}

}  // namespace spanloom::store::columnar
