// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/match/segment_matcher.h"

#include <utility>

#include "store/scan/predicate_matcher.h"

namespace spanloom::store::columnar {
SegmentMatcher::SegmentMatcher(const Predicate& predicate, const SegmentReader& reader)
    : root_(Compile(predicate, reader)) {}

SegmentMatcher::Node SegmentMatcher::Compile(const Predicate& predicate, const SegmentReader& reader) {
  Node node = {.kind = predicate.kind()};
  if (node.kind == Predicate::Kind::kCondition) {
    node.condition = std::make_unique<ConditionColumns>(predicate.condition(), reader);
    return node;
  }
  for (const Predicate* const part : scan::CheapestFirst(predicate)) node.parts.push_back(Compile(*part, reader));
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
    case Predicate::Kind::kAny:
      return MatchParts(node, page, group);
    case Predicate::Kind::kNot:
      break;
  }
  ASSIGN_OR_RETURN(RowSet set, Match(node.parts.front(), page, group));
  set.Negate();
  return set;
}

// Of kAll and kAny.
StatusOr<RowSet> SegmentMatcher::MatchParts(Node& node, PageColumns& page, uint32_t group) {
  const bool is_any = node.kind == Predicate::Kind::kAny;
  RowSet set = RowSet::Of(!is_any, page.groups(RowTable::kSpans)[group].rows);
  for (Node& part : node.parts) {
    ASSIGN_OR_RETURN(const RowSet of_part, Match(part, page, group));
    is_any ? set.Or(of_part) : set.And(of_part);
    if (is_any ? set.is_all() : set.is_none()) break;
  }
  return set;
}

StatusOr<RowSet> SegmentMatcher::Match(PageColumns& page) {
  if (root_.kind == Predicate::Kind::kEverything) return RowSet::All(page.rows());
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
