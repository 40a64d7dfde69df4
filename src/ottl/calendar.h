// SPDX-License-Identifier: Apache-2.0
//
// Times as dates of the Gregorian calendar, and times and durations as Go writes them.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spanloom::ottl {

struct Date {
  int64_t year = 1970;
  int month = 1;    // 1 to 12
  int day = 1;      // 1 to 31
  int weekday = 0;  // 0 is Sunday
  int hour = 0;
  int minute = 0;
  int second = 0;
  int nanosecond = 0;
};

// The date at a time, `utc_offset_s` east of Greenwich.
[[nodiscard]] Date DateOf(int64_t unix_ns, int32_t utc_offset_s);

// As Go's time.Time.String: "2006-01-02 15:04:05.999999999 -0700 -0700", or "+0000 UTC" at the end.
[[nodiscard]] std::string FormatGoTime(int64_t unix_ns, int32_t utc_offset_s);

// "2006-01-02T15:04:05.999999999-07:00", or "Z" at the end.
[[nodiscard]] std::string FormatRfc3339(int64_t unix_ns, int32_t utc_offset_s);

// "+0130": as many of hours, minutes and seconds as `parts` says, with `separator` in between.
[[nodiscard]] std::string FormatOffset(int32_t offset_s, std::string_view separator, int parts);

// Go's time.ParseDuration: "1h15m30.5s", "-1.5h", "300ms". nullopt if it is none, or out of range.
[[nodiscard]] std::optional<int64_t> ParseDuration(std::string_view text);

}  // namespace spanloom::ottl
