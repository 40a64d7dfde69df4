// SPDX-License-Identifier: Apache-2.0
//
// Names of groups in regular expressions, where Go's syntax and that of RE2 part.

#pragma once

#include <string>
#include <string_view>

namespace spanloom::ottl {

// The expression with (?P<name> for each (?<name>, which Go knows since 1.22 and this RE2 does not.
[[nodiscard]] std::string WithNamesOfRe2(std::string_view expression);

// True if Go takes it as a name: letters of ASCII, digits and underscores.
[[nodiscard]] bool IsGroupName(std::string_view name);

}  // namespace spanloom::ottl
