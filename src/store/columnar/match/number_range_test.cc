// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/match/number_range.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <vector>

#include "store/predicate.h"

namespace spanloom::store::columnar {
namespace {

constexpr Comparison kComparisons[] = {Comparison::kEqual,       Comparison::kNotEqual, Comparison::kLess,
                                       Comparison::kLessOrEqual, Comparison::kGreater,  Comparison::kGreaterOrEqual};

// Every number against every operand, by every comparison, as one at a time would be compared.
void ExpectSame(Reading reading, const std::vector<uint64_t>& numbers, const std::vector<Value>& operands) {
  char text[8];
  for (const Value& operand : operands) {
    for (const Comparison comparison : kComparisons) {
      const scan::ConditionCheck check(comparison, operand);
      const auto range = NumberRange::Of(check, reading);
      ASSERT_TRUE(range) << operand.ToText();
      const RowBits hits = range->Hits(numbers);
      for (size_t i = 0; i < numbers.size(); ++i) {
        const Cell cell = CellOfNumber(reading, numbers[i], text);
        ASSERT_EQ(HasRow(hits, i), check.IsHit(cell))
            << cell.ToText() << ' ' << ComparisonText(comparison) << ' ' << operand.ToText();
      }
    }
  }
}

TEST(NumberRange, OfIntegersAgreesWithTheComparison) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  std::vector<uint64_t> numbers;
  std::vector<Value> operands;
  for (const int64_t value : {kLeast, kLeast + 1, int64_t{-1}, int64_t{0}, int64_t{1}, kMost - 1, kMost}) {
    numbers.push_back(static_cast<uint64_t>(value));
    operands.push_back(Value::Int(value));
  }
  for (int i = 0; i < 70; ++i) numbers.push_back(static_cast<uint64_t>(i));
  ExpectSame(Reading::kInt, numbers, operands);
}

TEST(NumberRange, OfDoublesAgreesWithTheComparison) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<uint64_t> numbers;
  std::vector<Value> operands;
  for (const double value : {-kInfinity, -1e300, -1.0, -0.0, 0.0, 5e-324, 0.5, 1.0, 1e300, kInfinity}) {
    numbers.push_back(std::bit_cast<uint64_t>(value));
    operands.push_back(Value::Double(value));
  }
  numbers.push_back(std::bit_cast<uint64_t>(std::numeric_limits<double>::quiet_NaN()));
  operands.push_back(Value::Int(1));
  ExpectSame(Reading::kDouble, numbers, operands);
}

TEST(NumberRange, IsNotForWhatItCannotSayExactly) {
  const auto range = [](Comparison comparison, const Value& operand, Reading reading) {
    return NumberRange::Of(scan::ConditionCheck(comparison, operand), reading);
  };
  EXPECT_FALSE(range(Comparison::kEqual, Value::Int((int64_t{1} << 60) + 1), Reading::kDouble));
  EXPECT_FALSE(range(Comparison::kEqual, Value::Double(std::numeric_limits<double>::quiet_NaN()), Reading::kDouble));
  EXPECT_FALSE(range(Comparison::kLess, Value::Double(0.5), Reading::kInt));
  EXPECT_FALSE(range(Comparison::kEqual, Value::String("1"), Reading::kInt));
  EXPECT_FALSE(range(Comparison::kHasText, Value::String("1"), Reading::kInt));
  EXPECT_FALSE(range(Comparison::kEqual, Value::Int(1), Reading::kEnum));
}

}  // namespace
}  // namespace spanloom::store::columnar
