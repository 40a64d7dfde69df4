// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/match/segment_matcher.h"

#include <algorithm>
#include <utility>

#include "store/scan/span_fields.h"

namespace spanloom::store::columnar {
namespace {

// A guess that only orders parts: what is cheap, and often decides, comes first.
int CostOf(const Predicate& predicate) {
  if (predicate.kind() != Predicate::Kind::kCondition) return predicate.parts().empty() ? 0 : 4;
  const Field& field = predicate.condition().field;
  if (scan::IsOfOrigin(field)) return 0;
  if (field.needs_trace()) return 5;
  if (!field.is_attribute()) return 1;
  return field.scope == AttributeScope::kSpan ? 2 : 3;
}

}  // namespace

SegmentMatcher::SegmentMatcher(const Predicate& predicate, const SegmentReader& reader)
    : root_(Compile(predicate, reader)) {}

SegmentMatcher::Node SegmentMatcher::Compile(const Predicate& predicate, const SegmentReader& reader) {
  Node node = {.kind = predicate.kind()};
  if (node.kind == Predicate::Kind::kCondition) {
    node.condition = std::make_unique<ConditionColumns>(predicate.condition(), reader);
    return node;
  }
  std::vector<const Predicate*> parts;
  for (const Predicate& part : predicate.parts()) parts.push_back(&part);
  std::ranges::stable_sort(parts, {}, [](const Predicate* part) { return CostOf(*part); });
  for (const Predicate* const part : parts) node.parts.push_back(Compile(*part, reader));
  return node;
}

StatusOr<bool> SegmentMatcher::MayMatch(Node& node) {
  switch (node.kind) {
    case Predicate::Kind::kEverything:
    case Predicate::Kind::kNot:  // its part says only where it may hold, not where it must
      return true;
    case Predicate::Kind::kCondition:
      return node.condition->MayHold();
    case Predicate::Kind::kAll:
    case Predicate::Kind::kAny:
      break;
  }
  const bool is_any = node.kind == Predicate::Kind::kAny;
  for (Node& part : node.parts) {
    ASSIGN_OR_RETURN(const bool may_match, MayMatch(part));
    if (may_match == is_any) return is_any;
  }
  return !is_any;
}

StatusOr<RowSet> SegmentMatcher::Match(Node& node, PageColumns& page, uint32_t group) {
  const size_t rows = page.groups(RowTable::kSpans)[group].rows;
  switch (node.kind) {
    case Predicate::Kind::kEverything:
      return RowSet::All(rows);
    case Predicate::Kind::kCondition:
      return node.condition->Evaluate(page, group);
    case Predicate::Kind::kAll:
      return MatchAll(node, page, group);
    case Predicate::Kind::kAny:
      return MatchAny(node, page, group);
    case Predicate::Kind::kNot:
      break;
  }
  ASSIGN_OR_RETURN(RowSet set, Match(node.parts.front(), page, group));
  set.Negate();
  return set;
}

StatusOr<RowSet> SegmentMatcher::MatchAll(Node& node, PageColumns& page, uint32_t group) {
  RowSet set = RowSet::All(page.groups(RowTable::kSpans)[group].rows);
  for (Node& part : node.parts) {
    ASSIGN_OR_RETURN(const RowSet of_part, Match(part, page, group));
    set.And(of_part);
    if (set.is_none()) break;
  }
  return set;
}

StatusOr<RowSet> SegmentMatcher::MatchAny(Node& node, PageColumns& page, uint32_t group) {
  RowSet set = RowSet::None(page.groups(RowTable::kSpans)[group].rows);
  for (Node& part : node.parts) {
    ASSIGN_OR_RETURN(const RowSet of_part, Match(part, page, group));
    set.Or(of_part);
    if (set.is_all()) break;
  }
  return set;
}

StatusOr<RowSet> SegmentMatcher::Match(PageColumns& page) {
  RowBits must = MakeRowBits(page.rows());
  RowBits may = must;
  for (uint32_t group = 0; group < page.groups(RowTable::kSpans).size(); ++group) {
    ASSIGN_OR_RETURN(const RowSet set, MatchGroup(page, group));
    if (set.is_none()) continue;
    ASSIGN_OR_RETURN(const auto rows, page.RowsOf(RowTable::kSpans, group));
    for (size_t i = 0; i < rows.size(); ++i) {
      if (set.May(i)) SetRow(may, rows[i]);
      if (set.Must(i)) SetRow(must, rows[i]);
    }
  }
  return RowSet::Of(std::move(must), std::move(may), page.rows());
}

}  // namespace spanloom::store::columnar
