// SPDX-License-Identifier: Apache-2.0
//
// For which rows something holds, as far as it is known: surely, surely not, or perhaps. Three-valued logic (Kleene).

#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace spanloom::store::columnar {

// A bit a row, the lowest first; bits beyond the last row are 0.
using RowBits = std::vector<uint64_t>;

[[nodiscard]] RowBits MakeRowBits(size_t rows);
inline void SetRow(RowBits& bits, size_t row) {
  bits[row / 64] |= uint64_t{1} << (row % 64);
}
[[nodiscard]] inline bool HasRow(const RowBits& bits, size_t row) {
  return (bits[row / 64] >> (row % 64) & 1) != 0;
}
// True if there is one among [begin, end).
[[nodiscard]] bool HasRowWithin(const RowBits& bits, size_t begin, size_t end);

// A value. Costs no memory while all rows are alike.
class RowSet {
 public:
  static RowSet None(size_t rows) { return {Kind::kNone, rows}; }
  static RowSet All(size_t rows) { return {Kind::kAll, rows}; }
  static RowSet Unknown(size_t rows) { return {Kind::kUnknown, rows}; }
  static RowSet Of(bool holds, size_t rows) { return holds ? All(rows) : None(rows); }
  // It surely holds for `must`, and perhaps for the rest of `may`, which includes them.
  static RowSet Of(RowBits must, RowBits may, size_t rows);
  // Known of all.
  static RowSet Exactly(const RowBits& bits, size_t rows) { return Of(bits, bits, rows); }

  [[nodiscard]] size_t rows() const { return rows_; }
  [[nodiscard]] bool is_none() const { return kind_ == Kind::kNone; }  // for no row, surely
  [[nodiscard]] bool is_all() const { return kind_ == Kind::kAll; }    // for every row, surely
  [[nodiscard]] bool is_unknown() const { return kind_ == Kind::kUnknown; }
  // Known of all rows.
  [[nodiscard]] bool is_decided() const { return kind_ != Kind::kUnknown && must_ == may_; }
  [[nodiscard]] bool Must(size_t row) const { return is_all() || (kind_ == Kind::kBits && HasRow(must_, row)); }
  [[nodiscard]] bool May(size_t row) const {
    return is_all() || is_unknown() || (kind_ == Kind::kBits && HasRow(may_, row));
  }

  // This and the other have as many rows.
  void And(const RowSet& other);
  void Or(const RowSet& other);
  void Negate();

  // [rows]
  [[nodiscard]] RowBits Must() const { return kind_ == Kind::kBits ? must_ : Filled(is_all()); }
  [[nodiscard]] RowBits May() const { return kind_ == Kind::kBits ? may_ : Filled(!is_none()); }

 private:
  enum class Kind : uint8_t { kNone, kAll, kUnknown, kBits };

  RowSet(Kind kind, size_t rows) : kind_(kind), rows_(rows) {}
  [[nodiscard]] RowBits Filled(bool value) const;
  void Set(RowBits must, RowBits may);

  Kind kind_ = Kind::kNone;
  size_t rows_ = 0;
  // Of kBits, [rows_]:
  RowBits must_;
  RowBits may_;
};

}  // namespace spanloom::store::columnar
