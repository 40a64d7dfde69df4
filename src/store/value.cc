// SPDX-License-Identifier: Apache-2.0

#include "store/value.h"

#include <bit>
#include <cmath>

#include "base/check.h"
#include "base/text.h"
#include "store/value_text.h"

namespace spanloom::store {
namespace {

constexpr double kTwoTo63 = 0x1p63;

bool IsNumber(ValueKind kind) {
  return kind == ValueKind::kInt || kind == ValueKind::kDouble;
}

bool IsText(ValueKind kind) {
  return kind == ValueKind::kString || kind == ValueKind::kBytes || kind == ValueKind::kText;
}

std::partial_ordering CompareExactly(int64_t a, double b) {
  if (std::isnan(b)) return std::partial_ordering::unordered;
  if (b >= kTwoTo63) return std::partial_ordering::less;
  if (b < -kTwoTo63) return std::partial_ordering::greater;
  const auto whole = static_cast<int64_t>(b);
  if (a != whole) return a <=> whole;
  return 0.0 <=> b - static_cast<double>(whole);  // exact: a double with a fraction is below 2^53
}

std::partial_ordering CompareNumbers(const Cell& a, const Cell& b) {
  if (a.kind() == ValueKind::kInt && b.kind() == ValueKind::kInt) return a.int_value() <=> b.int_value();
  if (a.kind() == ValueKind::kInt) return CompareExactly(a.int_value(), b.double_value());
  if (b.kind() == ValueKind::kInt) return 0 <=> CompareExactly(b.int_value(), a.double_value());
  return a.double_value() <=> b.double_value();
}

std::strong_ordering CompareSameKind(const Cell& a, const Cell& b) {
  switch (a.kind()) {
    case ValueKind::kNone:
      return std::strong_ordering::equal;
    case ValueKind::kBool:
      return a.bool_value() <=> b.bool_value();
    case ValueKind::kInt:
      return a.int_value() <=> b.int_value();
    case ValueKind::kDouble:
      return std::strong_order(a.double_value(), b.double_value());
    default:
      return a.text() <=> b.text();
  }
}

}  // namespace

Cell Cell::Double(double value) {
  return Cell(ValueKind::kDouble, std::bit_cast<uint64_t>(value));
}

Cell Cell::String(std::string_view text, ValueKind kind) {
  DCHECK(IsText(kind) && text.size() <= UINT32_MAX);
  Cell cell(kind, 0);
  cell.text_ = text.data();
  cell.text_bytes_ = static_cast<uint32_t>(text.size());
  return cell;
}

double Cell::double_value() const {
  return std::bit_cast<double>(scalar_);
}

std::optional<double> Cell::number() const {
  if (kind_ == ValueKind::kInt) return static_cast<double>(int_value());
  if (kind_ == ValueKind::kDouble) return double_value();
  return std::nullopt;
}

std::string Cell::ToText() const {
  switch (kind_) {
    case ValueKind::kNone:
      return "";
    case ValueKind::kBool:
      return bool_value() ? "true" : "false";
    case ValueKind::kInt:
      return StrCat(int_value());
    case ValueKind::kDouble:
      return DoubleText(double_value());
    default:
      return std::string(text());
  }
}

Value::Value(const Cell& cell) : kind_(cell.kind()) {
  if (IsText(kind_)) {
    text_ = cell.text();
  } else if (kind_ == ValueKind::kDouble) {
    scalar_ = std::bit_cast<uint64_t>(cell.double_value());
  } else {
    scalar_ = static_cast<uint64_t>(cell.int_value());
  }
}

Cell Value::cell() const {
  switch (kind_) {
    case ValueKind::kNone:
      return {};
    case ValueKind::kBool:
      return Cell::Bool(scalar_ != 0);
    case ValueKind::kInt:
      return Cell::Int(static_cast<int64_t>(scalar_));
    case ValueKind::kDouble:
      return Cell::Double(std::bit_cast<double>(scalar_));
    default:
      return Cell::String(text_, kind_);
  }
}

std::strong_ordering operator<=>(const Value& a, const Value& b) {
  if (a.kind_ != b.kind_) return a.kind_ <=> b.kind_;
  return CompareSameKind(a.cell(), b.cell());
}

bool AreComparable(ValueKind a, ValueKind b) {
  if (IsNumber(a)) return IsNumber(b);
  return a == b && a != ValueKind::kNone && a != ValueKind::kText;
}

std::partial_ordering Compare(const Cell& a, const Cell& b) {
  if (!AreComparable(a.kind(), b.kind())) return std::partial_ordering::unordered;
  if (IsNumber(a.kind())) return CompareNumbers(a, b);
  if (a.kind() == ValueKind::kBool) {
    return a.bool_value() == b.bool_value() ? std::partial_ordering::equivalent : std::partial_ordering::unordered;
  }
  return a.text() <=> b.text();
}

}  // namespace spanloom::store
