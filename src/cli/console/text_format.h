// SPDX-License-Identifier: Apache-2.0
//
// Numbers for people to read.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace spanloom::cli::console {

// "1,234,567".
[[nodiscard]] std::string Grouped(uint64_t number);

// "1 span", "1,234 spans": `noun` is one whose plural has an s.
[[nodiscard]] std::string CountOf(uint64_t number, std::string_view noun);

// "512 B", "1.2 MB": decimal units, so that they compare with those of disks.
[[nodiscard]] std::string FormatBytes(uint64_t bytes);

// RFC 3339 in UTC with as many digits as the time has: "2026-01-02T03:04:05.678Z".
[[nodiscard]] std::string FormatTime(uint64_t unix_ns);

}  // namespace spanloom::cli::console
