// SPDX-License-Identifier: Apache-2.0
//
// Go's fmt package, as far as values of OTTL go.

#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ottl/value.h"

namespace spanloom::ottl {

// What "%v" writes: "<nil>", "true", "1e+21", "[a b]", "map[k:v]".
[[nodiscard]] std::string FormatGo(const Value& value);

// fmt.Sprintf: verbs v s q d b o x X c t T f F e E g G, flags + - # 0 and space, width and precision, also from
// arguments (*). What does not fit is said in the text, as Go does: "%!d(string=a)", "%!d(MISSING)", "%!(EXTRA
// int64=1)". Width and precision are at most 1000; argument indexes ("%[1]d") are not known.
[[nodiscard]] std::string SprintfGo(std::string_view format, std::span<const Value> arguments);

}  // namespace spanloom::ottl
