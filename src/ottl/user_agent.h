// SPDX-License-Identifier: Apache-2.0
//
// Which program and system the text of a User-Agent header names.

#pragma once

#include <string>
#include <string_view>

namespace spanloom::ottl {

struct UserAgent {
  std::string name = "Other";     // "Chrome Mobile", "curl"
  std::string version = {};       // up to three numbers: "126.0.1"; "" if it is not known
  std::string os_name = "Other";  // "Windows", "iOS", "Linux"
  std::string os_version = {};    // "10", "13.5.1"; "" if it is not known
};

// Knows the common browsers, crawlers, programs and libraries; what it does not know is "Other".
[[nodiscard]] UserAgent ParseUserAgent(std::string_view text);

}  // namespace spanloom::ottl
