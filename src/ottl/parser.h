// SPDX-License-Identifier: Apache-2.0
//
// OTTL conditions into syntax trees. The grammar, a part of the language so far:
//
//   condition   = conjunction { "or" conjunction }
//   conjunction = term { "and" term }
//   term        = [ "not" ] ( "(" condition ")" | "true" | "false" | comparison )
//   comparison  = value ( "==" | "!=" ) value
//   value       = string | integer | float | "true" | "false" | "nil" | ENUM | path
//   path        = segment { "." segment }
//   segment     = name { "[" ( string | integer ) "]" }
//
// A path alone is no condition, even if it is boolean. The rest of OTTL (functions, arithmetic, order, lists, maps,
// bytes) is refused by name.

#pragma once

#include <cstddef>
#include <string_view>

#include "base/status.h"
#include "ottl/ast.h"

namespace spanloom::ottl {

inline constexpr size_t kConditionBytesMax = 16384;  // of text; guess
inline constexpr int kExpressionDepthMax = 64;       // nested parentheses; guess

// kInvalidArgument names line and column, the token found there and what was expected; or the limit that was passed.
StatusOr<Expression> ParseCondition(std::string_view text);

}  // namespace spanloom::ottl
