// SPDX-License-Identifier: Apache-2.0
//
// Durations as Go writes them: "1s", "200ms", "1h2m3.5s". Specification: time.ParseDuration of the Go standard library.

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace spanloom::config {

// nullopt if `text` is no duration or exceeds 292 years. "0" needs no unit.
[[nodiscard]] std::optional<std::chrono::nanoseconds> ParseDuration(std::string_view text);

// As Go prints it: "1h30m0s", "200ms", "1.5s", "0s".
[[nodiscard]] std::string FormatDuration(std::chrono::nanoseconds duration);

}  // namespace spanloom::config
