// SPDX-License-Identifier: Apache-2.0

#include "ottl/operand.h"

#include <string>
#include <type_traits>

namespace spanloom::ottl {

Operand ToOperand(const otlp::ValueView& value) {
  switch (value.kind()) {
    case otlp::ValueView::Kind::kNone:
      return {};
    case otlp::ValueView::Kind::kString:
      return value.string_value();
    case otlp::ValueView::Kind::kBool:
      return value.bool_value();
    case otlp::ValueView::Kind::kInt:
      return value.int_value();
    case otlp::ValueView::Kind::kDouble:
      return value.double_value();
    default:
      return Opaque();
  }
}

Operand ToOperand(const Literal& literal) {
  return std::visit(
      [](const auto& value) -> Operand {
        if constexpr (std::is_same_v<decltype(value), const std::string&>) {
          return std::string_view(value);
        } else {
          return value;
        }
      },
      literal);
}

bool AreEqual(const Operand& a, const Operand& b) {
  const int64_t* a_integer = std::get_if<int64_t>(&a);
  const int64_t* b_integer = std::get_if<int64_t>(&b);
  const double* a_double = std::get_if<double>(&a);
  const double* b_double = std::get_if<double>(&b);
  if (a_integer != nullptr && b_double != nullptr) return static_cast<double>(*a_integer) == *b_double;
  if (a_double != nullptr && b_integer != nullptr) return *a_double == static_cast<double>(*b_integer);
  return a == b;
}

}  // namespace spanloom::ottl
