// SPDX-License-Identifier: Apache-2.0
//
// What of the arguments of a call is refused at start: the Collector looks at what stands in the text, and leaves to
// each evaluation what is made of it. All errors are kInvalidArgument and worded as the Collector's.

#pragma once

#include "base/status.h"
#include "ottl/ast.h"
#include "ottl/function.h"
#include "ottl/getter.h"

namespace spanloom::ottl {

// True if the value stands in the text: a sum or a call is none, even of such.
[[nodiscard]] bool IsLiteral(const Operand& operand);

// That what stands in the text may be an argument of a parameter of `type`.
[[nodiscard]] Status CheckSyntax(ParameterType type, const Operand& operand);

// That the value of a literal, `getter` being what `operand` compiled to, can be what the parameter wants.
[[nodiscard]] Status CheckType(ParameterType type, const Operand& operand, const Getter& getter);

}  // namespace spanloom::ottl
