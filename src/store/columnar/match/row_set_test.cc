// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/match/row_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/rng.h"

namespace spanloom::store::columnar {
namespace {

enum class Truth : uint8_t { kNo, kPerhaps, kYes };

Truth And(Truth a, Truth b) {
  return std::min(a, b);
}
Truth Or(Truth a, Truth b) {
  return std::max(a, b);
}
Truth Not(Truth a) {
  return a == Truth::kYes ? Truth::kNo : a == Truth::kNo ? Truth::kYes : Truth::kPerhaps;
}

RowSet Of(const std::vector<Truth>& truths) {
  RowBits must = MakeRowBits(truths.size());
  RowBits may = must;
  for (size_t row = 0; row < truths.size(); ++row) {
    if (truths[row] == Truth::kYes) SetRow(must, row);
    if (truths[row] != Truth::kNo) SetRow(may, row);
  }
  return RowSet::Of(std::move(must), std::move(may), truths.size());
}

void ExpectSame(const RowSet& set, const std::vector<Truth>& truths) {
  ASSERT_EQ(set.rows(), truths.size());
  for (size_t row = 0; row < truths.size(); ++row) {
    ASSERT_EQ(set.Must(row), truths[row] == Truth::kYes) << row;
    ASSERT_EQ(set.May(row), truths[row] != Truth::kNo) << row;
  }
}

// Sometimes all alike, which is kept in another way.
std::vector<Truth> RandomTruths(Rng& rng, size_t rows) {
  std::vector<Truth> truths(rows, static_cast<Truth>(rng.Next() % 3));
  if (rng.Next() % 2 == 0) return truths;
  for (Truth& truth : truths) truth = static_cast<Truth>(rng.Next() % 3);
  return truths;
}

TEST(RowSet, CombinesRowByRow) {
  Rng rng(1);
  for (int i = 0; i < 2'000; ++i) {
    const size_t rows = 1 + rng.Next() % 130;
    const std::vector<Truth> a = RandomTruths(rng, rows);
    const std::vector<Truth> b = RandomTruths(rng, rows);
    std::vector<Truth> both;
    std::vector<Truth> either;
    std::vector<Truth> opposite;
    for (size_t row = 0; row < rows; ++row) {
      both.push_back(And(a[row], b[row]));
      either.push_back(Or(a[row], b[row]));
      opposite.push_back(Not(a[row]));
    }
    RowSet set = Of(a);
    set.And(Of(b));
    ExpectSame(set, both);
    set = Of(a);
    set.Or(Of(b));
    ExpectSame(set, either);
    set = Of(a);
    set.Negate();
    ExpectSame(set, opposite);
  }
}

TEST(RowSet, KnowsWhenAllRowsAreAlike) {
  EXPECT_TRUE(Of({Truth::kNo, Truth::kNo}).is_none());
  EXPECT_TRUE(Of({Truth::kYes, Truth::kYes}).is_all());
  EXPECT_FALSE(Of({Truth::kYes, Truth::kPerhaps}).is_all());
  RowSet unknown = RowSet::Unknown(70);
  EXPECT_FALSE(unknown.is_decided());
  EXPECT_TRUE(Of({Truth::kYes, Truth::kNo}).is_decided());
  EXPECT_FALSE(Of({Truth::kYes, Truth::kPerhaps, Truth::kNo}).is_decided());
  unknown.And(RowSet::None(70));
  EXPECT_TRUE(unknown.is_none());
  EXPECT_TRUE(unknown.is_decided());
}

TEST(RowBits, SaysWhetherARangeHasOne) {
  RowBits bits = MakeRowBits(200);
  SetRow(bits, 64);
  SetRow(bits, 150);
  EXPECT_FALSE(HasRowWithin(bits, 0, 64));
  EXPECT_TRUE(HasRowWithin(bits, 0, 65));
  EXPECT_TRUE(HasRowWithin(bits, 64, 65));
  EXPECT_FALSE(HasRowWithin(bits, 65, 150));
  EXPECT_TRUE(HasRowWithin(bits, 65, 200));
  EXPECT_FALSE(HasRowWithin(bits, 151, 200));
  EXPECT_FALSE(HasRowWithin(bits, 150, 150));
}

}  // namespace
}  // namespace spanloom::store::columnar
