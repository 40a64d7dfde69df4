// SPDX-License-Identifier: Apache-2.0
//
// A comparison of numbers as an interval, to ask it of many at a time.

#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "store/columnar/match/row_set.h"
#include "store/columnar/match/value_sources.h"
#include "store/scan/condition_check.h"

namespace spanloom::store::columnar {

// Numbers in [least, most] are hits of the comparison; none, if most < least. A value.
class NumberRange {
 public:
  // nullopt if the comparison is none of numbers, or its operand is not exact in that type; and for other readings than
  // kInt and kDouble.
  static std::optional<NumberRange> Of(const scan::ConditionCheck& check, Reading reading);

  // [numbers of a slot]: which of them are hits. About 1 ns a number.
  [[nodiscard]] RowBits Hits(std::span<const uint64_t> numbers) const;

 private:
  // Of int64_t or double.
  template <typename T>
  struct Interval {
    T least;
    T most;
  };

  template <typename T>
  static std::optional<Interval<T>> IntervalOf(Comparison comparison, T operand);

  std::optional<Interval<int64_t>> ints_;
  std::optional<Interval<double>> doubles_;  // else
};

}  // namespace spanloom::store::columnar
