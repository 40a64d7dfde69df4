// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/match/number_range.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace spanloom::store::columnar {
namespace {

constexpr int64_t kExactMax = int64_t{1} << 53;  // integers up to there are doubles

// The next number that can be said; nullopt beyond the ends.
std::optional<int64_t> Below(int64_t value) {
  return value == std::numeric_limits<int64_t>::min() ? std::nullopt : std::optional(value - 1);
}
std::optional<int64_t> Above(int64_t value) {
  return value == std::numeric_limits<int64_t>::max() ? std::nullopt : std::optional(value + 1);
}
std::optional<double> Below(double value) {
  constexpr double kLowest = -std::numeric_limits<double>::infinity();
  return value == kLowest ? std::nullopt : std::optional(std::nextafter(value, kLowest));
}
std::optional<double> Above(double value) {
  constexpr double kHighest = std::numeric_limits<double>::infinity();
  return value == kHighest ? std::nullopt : std::optional(std::nextafter(value, kHighest));
}

template <typename T>
constexpr T Lowest() {
  return std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
}
template <typename T>
constexpr T Highest() {
  return std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
}

std::optional<double> ExactDouble(const Cell& operand) {
  if (operand.kind() == ValueKind::kDouble) {
    return std::isnan(operand.double_value()) ? std::nullopt : std::optional(operand.double_value());
  }
  const bool is_exact = operand.kind() == ValueKind::kInt && std::abs(operand.int_value() / 2) <= kExactMax / 2;
  return is_exact ? std::optional(static_cast<double>(operand.int_value())) : std::nullopt;
}

template <typename T, typename Interval>
RowBits HitsWithin(std::span<const uint64_t> numbers, const Interval& interval) {
  RowBits bits = MakeRowBits(numbers.size());
  for (size_t begin = 0; begin < numbers.size(); begin += 64) {
    uint64_t word = 0;
    const size_t count = std::min<size_t>(64, numbers.size() - begin);
    for (size_t i = 0; i < count; ++i) {
      const T value = std::bit_cast<T>(numbers[begin + i]);
      word |= static_cast<uint64_t>((value >= interval.least) & (value <= interval.most)) << i;
    }
    bits[begin / 64] = word;
  }
  return bits;
}

}  // namespace

template <typename T>
std::optional<NumberRange::Interval<T>> NumberRange::IntervalOf(Comparison comparison, T operand) {
  const Interval<T> nothing = {Highest<T>(), Lowest<T>()};
  switch (comparison) {
    case Comparison::kEqual:
    case Comparison::kNotEqual:  // hits are those that are equal
      return Interval<T>{operand, operand};
    case Comparison::kLess: {
      const auto below = Below(operand);
      return below ? Interval<T>{Lowest<T>(), *below} : nothing;
    }
    case Comparison::kLessOrEqual:
      return Interval<T>{Lowest<T>(), operand};
    case Comparison::kGreater: {
      const auto above = Above(operand);
      return above ? Interval<T>{*above, Highest<T>()} : nothing;
    }
    case Comparison::kGreaterOrEqual:
      return Interval<T>{operand, Highest<T>()};
    default:
      return std::nullopt;
  }
}

std::optional<NumberRange> NumberRange::Of(const scan::ConditionCheck& check, Reading reading) {
  const Cell operand = check.operand().cell();
  NumberRange range;
  if (reading == Reading::kInt && operand.kind() == ValueKind::kInt) {
    range.ints_ = IntervalOf(check.comparison(), operand.int_value());
  } else if (reading == Reading::kDouble) {
    if (const auto exact = ExactDouble(operand)) range.doubles_ = IntervalOf(check.comparison(), *exact);
  }
  return range.ints_ || range.doubles_ ? std::optional(range) : std::nullopt;
}

RowBits NumberRange::Hits(std::span<const uint64_t> numbers) const {
  return ints_ ? HitsWithin<int64_t>(numbers, *ints_) : HitsWithin<double>(numbers, *doubles_);
}

}  // namespace spanloom::store::columnar
