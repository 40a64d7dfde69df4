// SPDX-License-Identifier: Apache-2.0
//
// OTTL into syntax trees. The grammar (pkg/ottl/grammar.go of the Collector, without lambdas, which are off there too):
//
//   statement   = editor arguments [ "where" condition ]
//   condition   = conjunction { "or" conjunction }
//   conjunction = term { "and" term }
//   term        = [ "not" ] ( "(" condition ")" | "true" | "false" | converter | comparison )
//   comparison  = value ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) value
//   value       = string | bytes | "true" | "false" | "nil" | ENUM | list | map | sum
//   sum         = product { ( "+" | "-" ) product }
//   product     = factor { ( "*" | "/" ) factor }
//   factor      = [ "+" | "-" ] ( integer | float | path | converter | "(" sum ")" )
//   path        = segment { "." segment }
//   segment     = name { "[" value "]" }
//   converter   = Name arguments { "[" value "]" }
//   arguments   = "(" [ argument { "," argument } ] ")"
//   argument    = [ name "=" ] ( value | Name )
//   list        = "[" [ value { "," value } ] "]"
//   map         = "{" [ string ":" value { "," string ":" value } ] "}"
//
// A path alone is no condition, even if it is boolean.

#pragma once

#include <cstddef>
#include <string_view>

#include "base/status.h"
#include "ottl/ast.h"

namespace spanloom::ottl {

inline constexpr size_t kTextBytesMax = 16384;  // of one condition or statement; guess
inline constexpr int kExpressionDepthMax = 64;  // nested parentheses, calls, lists, maps, keys; guess

// kInvalidArgument names line and column, the token found there and what was expected; or the limit that was passed.
StatusOr<Expression> ParseCondition(std::string_view text);
StatusOr<StatementSyntax> ParseStatement(std::string_view text);
// A value alone: what the path of a connector or a test says.
StatusOr<Operand> ParseValue(std::string_view text);

}  // namespace spanloom::ottl
