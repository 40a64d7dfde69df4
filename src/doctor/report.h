// SPDX-License-Identifier: Apache-2.0
//
// Findings as text for people, and as JSON for programs.

#pragma once

#include <span>
#include <string>

#include "doctor/finding.h"

namespace spanloom::doctor {

// "FILE:LINE: error: WHAT [rule]", the fix indented below it, a line that counts at the end.
[[nodiscard]] std::string ToText(std::span<const Finding> findings);

// {"findings":[{"rule":"...","severity":"error","file":"...","line":3,"what":"...","fix":"..."}],"errors":1,
// "warnings":0,"notes":0}; "line" is absent where there is none, "fix" where there is nothing to paste.
[[nodiscard]] std::string ToJson(std::span<const Finding> findings);

}  // namespace spanloom::doctor
