// SPDX-License-Identifier: Apache-2.0
//
// A number of things, in the words of a finding.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/text.h"

namespace spanloom::doctor {

// "1 span", "0 spans": `noun` is one whose plural has an s. What follows must read well behind either, as the past
// tense does.
[[nodiscard]] inline std::string CountOf(uint64_t count, std::string_view noun) {
  return StrCat(count, " ", noun, count == 1 ? "" : "s");
}

}  // namespace spanloom::doctor
