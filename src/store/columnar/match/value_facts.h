// SPDX-License-Identifier: Apache-2.0
//
// What is known of the values that a field has in some rows, against one comparison: enough to say whether a condition
// holds, by the rules of Comparison (value.h).

#pragma once

#include <cstddef>

#include "store/columnar/match/row_set.h"
#include "store/scan/condition_check.h"
#include "store/value.h"

namespace spanloom::store::columnar {

// A value. Its sets have as many rows.
struct ValueFacts {
  RowSet has_value;      // any
  RowSet is_comparable;  // one that can be compared with the operand
  RowSet is_hit;         // one that is what is asked for

  static ValueFacts None(size_t rows);
  static ValueFacts Unknown(size_t rows);
  // All rows have this value, or none if it is kNone.
  static ValueFacts Of(const Cell& cell, const scan::ConditionCheck& check, size_t rows);

  // The rows have the values of both.
  void Add(const ValueFacts& other);

  // Where the condition holds.
  [[nodiscard]] RowSet Holds(const scan::ConditionCheck& check) const;
};

// The same, put together row by row.
class ValueFactsBuilder {
 public:
  explicit ValueFactsBuilder(size_t rows);

  // The row has the value; nothing if it is kNone.
  void Add(size_t row, const Cell& cell, const scan::ConditionCheck& check);
  void Add(size_t row, bool has_value, bool is_comparable, bool is_hit);
  // The row has what another row has.
  void AddFrom(size_t row, const ValueFacts& facts, size_t other);

  [[nodiscard]] ValueFacts Take() &&;

 private:
  // A set under way.
  struct Bits {
    RowBits must;
    RowBits may;
    void Set(size_t row, bool is_sure) {
      SetRow(may, row);
      if (is_sure) SetRow(must, row);
    }
  };
  static void Merge(const RowSet& from, size_t other, size_t row, Bits& into);

  size_t rows_;
  Bits values_;
  Bits comparable_;
  Bits hits_;
};

}  // namespace spanloom::store::columnar
