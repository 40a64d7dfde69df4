// SPDX-License-Identifier: Apache-2.0

#include "store/scan/predicate_matcher.h"

#include <algorithm>

#include "base/check.h"
#include "store/scan/span_fields.h"
#include "store/value_text.h"

namespace spanloom::store::scan {
namespace {

// A guess that only orders parts.
int CostOf(const Predicate& predicate) {
  if (predicate.kind() != Predicate::Kind::kCondition) return predicate.parts().empty() ? 0 : 5;
  const Field& field = predicate.condition().field;
  if (IsOfOrigin(field)) return 1;  // remembered
  if (field.is_attribute()) return field.scope == AttributeScope::kSpan ? 3 : 4;
  return field.needs_trace() ? 6 : 2;
}

}  // namespace

std::vector<const Predicate*> CheapestFirst(const Predicate& predicate) {
  std::vector<const Predicate*> parts;
  for (const Predicate& part : predicate.parts()) parts.push_back(&part);
  std::ranges::stable_sort(parts, {}, [](const Predicate* part) { return CostOf(*part); });
  return parts;
}

PredicateMatcher::PredicateMatcher(const Predicate& predicate) : root_(Compile(predicate)) {}

PredicateMatcher::Node PredicateMatcher::Compile(const Predicate& predicate) {
  Node node = {.kind = predicate.kind()};
  if (node.kind == Predicate::Kind::kCondition) {
    const Condition& condition = predicate.condition();
    node.field = condition.field;
    node.check.emplace(condition.comparison, condition.operand);
    node.is_of_origin = IsOfOrigin(condition.field);
    return node;
  }
  for (const Predicate* const part : CheapestFirst(predicate)) node.parts.push_back(Compile(*part));
  return node;
}

bool PredicateMatcher::NeedsTrace(const Node& node) {
  return node.field.needs_trace() || std::any_of(node.parts.begin(), node.parts.end(), NeedsTrace);
}

bool PredicateMatcher::Matches(TraceReading& trace, size_t ordinal) {
  return Holds(root_, trace, ordinal);
}

bool PredicateMatcher::Holds(Node& node, TraceReading& trace, size_t ordinal) {
  const auto holds = [&](Node& part) { return Holds(part, trace, ordinal); };
  switch (node.kind) {
    case Predicate::Kind::kEverything:
      return true;
    case Predicate::Kind::kCondition:
      return node.is_of_origin ? HoldsForOrigin(node, trace, ordinal) : HoldsForSpan(node, trace, ordinal);
    case Predicate::Kind::kAll:
      return std::all_of(node.parts.begin(), node.parts.end(), holds);
    case Predicate::Kind::kAny:
      return std::any_of(node.parts.begin(), node.parts.end(), holds);
    case Predicate::Kind::kNot:
      return !holds(node.parts.front());
  }
  return false;
}

bool PredicateMatcher::HoldsForOrigin(Node& node, TraceReading& trace, size_t ordinal) {
  const std::shared_ptr<const SpanOrigin>& origin = trace.stored(ordinal).origin;
  if (node.last_origin != origin) {
    node.last_origin = origin;
    node.last_verdict = HoldsForSpan(node, trace, ordinal);
  }
  return node.last_verdict;
}

bool PredicateMatcher::HoldsForSpan(const Node& node, TraceReading& trace, size_t ordinal) {
  texts_.Clear();
  ConditionCheck::Verdict verdict(*node.check);
  const auto add = [&verdict](const Cell& cell) { return verdict.Add(cell); };
  if (node.check->comparison() != Comparison::kHasText || !node.field.is_attribute()) {
    ForEachValue(node.field, trace, ordinal, texts_, add);
    return verdict.holds();
  }
  const std::string_view text = node.check->text();
  bool has_text = false;
  ForEachAttribute(
      node.field, trace, ordinal,
      [&](const otlp::ValueView& value) {
        has_text = ValueHasText(value, text);
        return !has_text;
      },
      add);
  return has_text || verdict.holds();
}

std::optional<std::string> PredicateMatcher::service() const {
  const auto service_of = [](const Node& node) -> std::optional<std::string> {
    if (node.kind != Predicate::Kind::kCondition || node.field.intrinsic != Intrinsic::kService) return std::nullopt;
    const Comparison comparison = node.check->comparison();
    if (comparison != Comparison::kEqual && comparison != Comparison::kHasText) return std::nullopt;
    if (node.check->operand().kind() != ValueKind::kString) return std::nullopt;
    return std::string(node.check->text());
  };
  if (root_.kind != Predicate::Kind::kAll) return service_of(root_);
  for (const Node& part : root_.parts) {
    if (auto service = service_of(part)) return service;
  }
  return std::nullopt;
}

}  // namespace spanloom::store::scan
