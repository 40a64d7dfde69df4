// SPDX-License-Identifier: Apache-2.0

#include "store/value.h"

#include <absl/hash/hash.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/rng.h"

namespace spanloom::store {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<Value> EdgeValues() {
  std::vector<Value> values = {Value(),
                               Value::Bool(false),
                               Value::Bool(true),
                               Value::String(""),
                               Value::String("a"),
                               Value::String(std::string_view("a\0b", 3)),
                               Value::Bytes("a"),
                               Value(Cell::String("a", ValueKind::kText))};
  for (const int64_t number : {kMin, int64_t{-1}, int64_t{0}, int64_t{1}, (int64_t{1} << 53) + 1, kMax}) {
    values.push_back(Value::Int(number));
  }
  for (const double number : {-kInfinity, -0x1p63, -1.0, -0.0, 0.0, 0.5, 1.0, 0x1p53, 0x1p63, kInfinity, kNaN}) {
    values.push_back(Value::Double(number));
  }
  return values;
}

// Scenario: integers beside doubles that are near, equal, beyond, or no numbers.
// Guarantees: compared as the numbers they are, without rounding either.
TEST(Compare, TakesIntegersAndDoublesExactly) {
  const auto less = std::partial_ordering::less;
  const auto equal = std::partial_ordering::equivalent;
  const auto greater = std::partial_ordering::greater;
  const auto compare = [](int64_t a, double b) {
    EXPECT_EQ(Compare(Cell::Double(b), Cell::Int(a)), 0 <=> Compare(Cell::Int(a), Cell::Double(b)));
    return Compare(Cell::Int(a), Cell::Double(b));
  };
  EXPECT_EQ(compare(1, 1.0), equal);
  EXPECT_EQ(compare(1, 1.5), less);
  EXPECT_EQ(compare(-1, -1.5), greater);
  EXPECT_EQ(compare(0, -0.0), equal);
  EXPECT_EQ(compare((int64_t{1} << 53) + 1, 0x1p53), greater);
  EXPECT_EQ(compare(kMax, 0x1p63), less);
  EXPECT_EQ(compare(kMin, -0x1p63), equal);
  EXPECT_EQ(compare(kMin, -kInfinity), greater);
  EXPECT_EQ(compare(kMax, kInfinity), less);
  EXPECT_EQ(compare(1, kNaN), std::partial_ordering::unordered);
}

// Scenario: each pair of kinds.
// Guarantees: numbers with numbers, else each kind with itself; no value, and JSON text, with nothing.
TEST(Compare, KnowsWhatIsComparable) {
  EXPECT_EQ(Compare(Cell::String("a"), Cell::String("b")), std::partial_ordering::less);
  EXPECT_EQ(Compare(Cell::String("a"), Cell::String("a", ValueKind::kBytes)), std::partial_ordering::unordered);
  EXPECT_EQ(Compare(Cell::Bool(true), Cell::Bool(true)), std::partial_ordering::equivalent);
  EXPECT_EQ(Compare(Cell::Bool(true), Cell::Bool(false)), std::partial_ordering::unordered);
  EXPECT_EQ(Compare(Cell(), Cell()), std::partial_ordering::unordered);
  const Cell json = Cell::String("[1]", ValueKind::kText);
  EXPECT_EQ(Compare(json, json), std::partial_ordering::unordered);
  EXPECT_FALSE(AreComparable(ValueKind::kInt, ValueKind::kString));
  EXPECT_TRUE(AreComparable(ValueKind::kInt, ValueKind::kDouble));
}

// Scenario: all pairs of values at the edges of their kinds.
// Guarantees: a total order by kind first; equal values have equal hashes, and survive being cells.
TEST(Value, IsOrderedAndHashed) {
  const std::vector<Value> values = EdgeValues();
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(Value(values[i].cell()), values[i]);
    EXPECT_EQ(absl::HashOf(Value(values[i].cell())), absl::HashOf(values[i]));
    for (size_t j = 0; j < values.size(); ++j) {
      EXPECT_EQ(values[i] == values[j], i == j) << i << " " << j;
      EXPECT_EQ(values[i]<values[j], values[j]> values[i]);
      if (values[i].kind() != values[j].kind()) {
        EXPECT_EQ(values[i] < values[j], values[i].kind() < values[j].kind());
      }
    }
  }
}

TEST(Value, IsText) {
  EXPECT_EQ(Value().ToText(), "");
  EXPECT_EQ(Value::Bool(true).ToText(), "true");
  EXPECT_EQ(Value::Int(kMin).ToText(), "-9223372036854775808");
  EXPECT_EQ(Value::Double(0.1).ToText(), "0.1");
  EXPECT_EQ(Value::Double(kNaN).ToText(), "NaN");
  EXPECT_EQ(Value::Bytes(std::string_view("\0", 1)).ToText(), std::string(1, '\0'));
}

TEST(Cell, HasNumbers) {
  EXPECT_EQ(Cell::Int(-3).number(), -3);
  EXPECT_EQ(Cell::Double(0.5).number(), 0.5);
  EXPECT_EQ(Cell::Bool(true).number(), std::nullopt);
  EXPECT_EQ(Cell::String("1").number(), std::nullopt);
}

}  // namespace
}  // namespace spanloom::store
