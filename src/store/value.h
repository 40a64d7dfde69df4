// SPDX-License-Identifier: Apache-2.0
//
// One value of a field: of an attribute as OTLP types it, or of a field of a span. `Value` owns its text and stands in
// conditions and in lists of names; `Cell` borrows and stands in columns.

#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace spanloom::store {

// kNone: there is no value. Attributes that are maps, and arrays within arrays, have the kind kText: their JSON text as
// value_text.h writes it, which can be shown and compared with as text, and never equals a string.
enum class ValueKind : uint8_t { kNone, kBool, kInt, kDouble, kString, kBytes, kText };

// 16 bytes. The text lies with whoever made the cell; a SpanBatch keeps it for its own.
class Cell {
 public:
  Cell() = default;
  static Cell Bool(bool value) { return Cell(ValueKind::kBool, static_cast<uint64_t>(value)); }
  static Cell Int(int64_t value) { return Cell(ValueKind::kInt, static_cast<uint64_t>(value)); }
  static Cell Double(double value);
  // Text of the kinds kString, kBytes and kText, up to 4 GiB - 1.
  static Cell String(std::string_view text, ValueKind kind = ValueKind::kString);

  [[nodiscard]] ValueKind kind() const { return kind_; }
  [[nodiscard]] bool is_none() const { return kind_ == ValueKind::kNone; }
  // Each is meaningful for its own kinds only.
  [[nodiscard]] bool bool_value() const { return scalar_ != 0; }
  [[nodiscard]] int64_t int_value() const { return static_cast<int64_t>(scalar_); }
  [[nodiscard]] double double_value() const;
  [[nodiscard]] std::string_view text() const { return {text_, text_bytes_}; }
  [[nodiscard]] size_t text_size() const { return text_bytes_; }  // 0 for kinds without text
  // The number of a kInt or kDouble, rounded to the nearest double; nullopt for other kinds.
  [[nodiscard]] std::optional<double> number() const;
  // As people read it: numbers in decimal, bools as words, bytes and strings as they are.
  [[nodiscard]] std::string ToText() const;

 private:
  Cell(ValueKind kind, uint64_t scalar) : scalar_(scalar), kind_(kind) {}

  union {
    uint64_t scalar_ = 0;  // kBool, kInt, kDouble (its bits)
    const char* text_;     // kString, kBytes, kText
  };
  uint32_t text_bytes_ = 0;
  ValueKind kind_ = ValueKind::kNone;
};

// A value with its text. Ordered by kind, then by value; doubles by IEEE 754's total order.
class Value {
 public:
  Value() = default;
  explicit Value(const Cell& cell);
  static Value Bool(bool value) { return Value(Cell::Bool(value)); }
  static Value Int(int64_t value) { return Value(Cell::Int(value)); }
  static Value Double(double value) { return Value(Cell::Double(value)); }
  static Value String(std::string_view text) { return Value(Cell::String(text)); }
  static Value Bytes(std::string_view bytes) { return Value(Cell::String(bytes, ValueKind::kBytes)); }

  // Borrows from this value.
  [[nodiscard]] Cell cell() const;
  [[nodiscard]] ValueKind kind() const { return kind_; }
  [[nodiscard]] std::string ToText() const { return cell().ToText(); }

  friend std::strong_ordering operator<=>(const Value& a, const Value& b);
  friend bool operator==(const Value& a, const Value& b) { return (a <=> b) == 0; }
  template <typename H>
  friend H AbslHashValue(H state, const Value& value) {
    return H::combine(std::move(state), value.kind_, value.scalar_, value.text_);
  }

 private:
  ValueKind kind_ = ValueKind::kNone;
  uint64_t scalar_ = 0;
  std::string text_;
};

// What can be asked of a field and an operand. A field may have several values: an array's elements, or those of all
// events or links of a span.
//
//  - kEqual, kLess, ..., kMatches hold if they hold for any value; kNotEqual and kNotMatches hold if there is a value
//    of a comparable kind and no value is equal, or matches. So both are false where the field is absent.
//  - kInt and kDouble compare as numbers, exactly; NaN compares with nothing, and is not equal to itself. kString
//    compares with kString and kBytes with kBytes, byte by byte. kBool can be equal or not. Other pairs of kinds are
//    not comparable; kText is not comparable with anything.
//  - kMatches and kNotMatches look at kString values. They take a regular expression in RE2's syntax, which matches
//    whole texts (TraceQL's rule).
//  - kHasText compares with the text that value_text.h gives, whatever the kind (Jaeger's rule for tags): of an
//    attribute as it stands, so that an array is its JSON text and not its elements.
//  - kExists and kIsAbsent take no operand. An empty array, and an attribute that OTLP leaves empty, are no values.
enum class Comparison : uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kMatches,
  kNotMatches,
  kHasText,
  kExists,
  kIsAbsent,
};

// How two cells compare, by the rules above; unordered if they are not comparable, or one is NaN.
[[nodiscard]] std::partial_ordering Compare(const Cell& a, const Cell& b);
// True if the rules above let values of these kinds be compared.
[[nodiscard]] bool AreComparable(ValueKind a, ValueKind b);

}  // namespace spanloom::store
