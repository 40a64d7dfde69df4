// SPDX-License-Identifier: Apache-2.0
//
// Globs of replace_match and replace_all_matches, with the rules of the Collector's (github.com/gobwas/glob).

#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace spanloom::ottl {

// A glob as the regular expression of whole texts: `*` any characters, `?` one, `[abc]` one of them, `[a-z]` one of a
// range, `[!...]` none of them, `{a,b}` alternatives, which end with the glob at the latest, `\` takes the next
// character as it is. kInvalidArgument for brackets that are empty, not closed, or hold a range and more.
[[nodiscard]] StatusOr<std::string> GlobToPattern(std::string_view glob);

}  // namespace spanloom::ottl
