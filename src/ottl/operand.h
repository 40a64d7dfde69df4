// SPDX-License-Identifier: Apache-2.0
//
// What the two sides of a comparison are at run time, and when they are equal.

#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "otlp/views.h"
#include "ottl/ast.h"

namespace spanloom::ottl {

// An array, map or bytes: not nil, and equal to no literal that there is so far.
struct Opaque {
  friend bool operator==(const Opaque&, const Opaque&) { return false; }
};

// monostate is nil. Borrows strings from the span or the literal.
using Operand = std::variant<std::monostate, bool, int64_t, double, std::string_view, Opaque>;

// An attribute that is absent or has no value is nil.
Operand ToOperand(const otlp::ValueView& value);
Operand ToOperand(const Literal& literal);

// Integers and doubles are compared by number, an integer being rounded to a double as in the Collector; all else is
// equal only to its own type. NaN equals nothing.
bool AreEqual(const Operand& a, const Operand& b);

}  // namespace spanloom::ottl
