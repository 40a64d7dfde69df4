// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/match/row_set.h"

#include <algorithm>
#include <functional>

namespace spanloom::store::columnar {
namespace {

constexpr size_t kWordBits = 64;
constexpr uint64_t kFull = ~uint64_t{0};

uint64_t LastWord(size_t rows) {
  return rows % kWordBits == 0 ? kFull : (uint64_t{1} << (rows % kWordBits)) - 1;
}

// Bits [begin, end) of a word.
uint64_t Between(size_t begin, size_t end) {
  return (kFull << begin) & (end == kWordBits ? kFull : (uint64_t{1} << end) - 1);
}

template <typename Operation>
void Combine(RowBits& bits, const RowBits& other, Operation operation) {
  std::ranges::transform(bits, other, bits.begin(), operation);
}

}  // namespace

RowBits MakeRowBits(size_t rows) {
  return RowBits((rows + kWordBits - 1) / kWordBits);
}

bool HasRowWithin(const RowBits& bits, size_t begin, size_t end) {
  while (begin < end) {
    const size_t word = begin / kWordBits;
    const size_t next = std::min(end, (word + 1) * kWordBits);
    if ((bits[word] & Between(begin % kWordBits, next - word * kWordBits)) != 0) return true;
    begin = next;
  }
  return false;
}

RowSet RowSet::Of(RowBits must, RowBits may, size_t rows) {
  RowSet set(Kind::kBits, rows);
  set.Set(std::move(must), std::move(may));
  return set;
}

RowBits RowSet::Filled(bool value) const {
  RowBits bits = MakeRowBits(rows_);
  if (!value || bits.empty()) return bits;
  std::ranges::fill(bits, kFull);
  bits.back() = LastWord(rows_);
  return bits;
}

void RowSet::Set(RowBits must, RowBits may) {
  const bool is_none = std::ranges::all_of(may, [](uint64_t word) { return word == 0; });
  kind_ = is_none ? Kind::kNone : must == Filled(true) ? Kind::kAll : Kind::kBits;
  if (kind_ != Kind::kBits) {
    must.clear();
    may.clear();
  }
  must_ = std::move(must);
  may_ = std::move(may);
}

void RowSet::And(const RowSet& other) {
  if (is_none() || other.is_all()) return;
  if (is_all() || other.is_none()) {
    *this = other;
    return;
  }
  if (is_unknown() && other.is_unknown()) return;
  RowBits must = Must();
  RowBits may = May();
  Combine(must, other.Must(), std::bit_and<>());
  Combine(may, other.May(), std::bit_and<>());
  Set(std::move(must), std::move(may));
}

void RowSet::Or(const RowSet& other) {
  if (is_all() || other.is_none()) return;
  if (is_none() || other.is_all()) {
    *this = other;
    return;
  }
  if (is_unknown() && other.is_unknown()) return;
  RowBits must = Must();
  RowBits may = May();
  Combine(must, other.Must(), std::bit_or<>());
  Combine(may, other.May(), std::bit_or<>());
  Set(std::move(must), std::move(may));
}

void RowSet::Negate() {
  if (kind_ == Kind::kUnknown) return;
  if (kind_ != Kind::kBits) {
    kind_ = is_none() ? Kind::kAll : Kind::kNone;
    return;
  }
  RowBits must = Filled(true);
  RowBits may = must;
  const auto without = [](uint64_t all, uint64_t bits) { return all & ~bits; };
  Combine(must, may_, without);
  Combine(may, must_, without);
  Set(std::move(must), std::move(may));
}

}  // namespace spanloom::store::columnar
