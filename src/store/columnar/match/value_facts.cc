// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/match/value_facts.h"

#include <utility>

namespace spanloom::store::columnar {

ValueFacts ValueFacts::None(size_t rows) {
  return {RowSet::None(rows), RowSet::None(rows), RowSet::None(rows)};
}

ValueFacts ValueFacts::Unknown(size_t rows) {
  return {RowSet::Unknown(rows), RowSet::Unknown(rows), RowSet::Unknown(rows)};
}

ValueFacts ValueFacts::Of(const Cell& cell, const scan::ConditionCheck& check, size_t rows) {
  if (cell.is_none()) return None(rows);
  return {RowSet::All(rows), RowSet::Of(check.IsComparable(cell.kind()), rows), RowSet::Of(check.IsHit(cell), rows)};
}

void ValueFacts::Add(const ValueFacts& other) {
  has_value.Or(other.has_value);
  is_comparable.Or(other.is_comparable);
  is_hit.Or(other.is_hit);
}

RowSet ValueFacts::Holds(const scan::ConditionCheck& check) const {
  if (check.comparison() == Comparison::kIsAbsent) {
    RowSet absent = has_value;
    absent.Negate();
    return absent;
  }
  if (!check.is_negative()) return is_hit;
  RowSet holds = is_hit;
  holds.Negate();
  holds.And(is_comparable);
  return holds;
}

ValueFactsBuilder::ValueFactsBuilder(size_t rows) : rows_(rows) {
  for (Bits* const bits : {&values_, &comparable_, &hits_}) *bits = {MakeRowBits(rows), MakeRowBits(rows)};
}

void ValueFactsBuilder::Add(size_t row, const Cell& cell, const scan::ConditionCheck& check) {
  if (!cell.is_none()) Add(row, true, check.IsComparable(cell.kind()), check.IsHit(cell));
}

void ValueFactsBuilder::Add(size_t row, bool has_value, bool is_comparable, bool is_hit) {
  if (has_value) values_.Set(row, true);
  if (is_comparable) comparable_.Set(row, true);
  if (is_hit) hits_.Set(row, true);
}

void ValueFactsBuilder::Merge(const RowSet& from, size_t other, size_t row, Bits& into) {
  if (from.May(other)) into.Set(row, from.Must(other));
}

void ValueFactsBuilder::AddFrom(size_t row, const ValueFacts& facts, size_t other) {
  Merge(facts.has_value, other, row, values_);
  Merge(facts.is_comparable, other, row, comparable_);
  Merge(facts.is_hit, other, row, hits_);
}

ValueFacts ValueFactsBuilder::Take() && {
  const auto take = [&](Bits& bits) { return RowSet::Of(std::move(bits.must), std::move(bits.may), rows_); };
  return {take(values_), take(comparable_), take(hits_)};
}

}  // namespace spanloom::store::columnar
