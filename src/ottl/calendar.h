// SPDX-License-Identifier: Apache-2.0
//
// Times as dates: the Gregorian calendar and the Collector's formats of "%Y-%m-%d".

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

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

struct ParsedTime {
  int64_t unix_ns = 0;
  int32_t utc_offset_s = 0;
};

// A time by a format of directives (%Y, %m, ...: the list stands in docs/ottl.md), all else literally. kInvalidArgument
// names the directive that is not known, or the place where `text` differs. Times beyond what 64 bits of nanoseconds
// hold (1677 to 2262) are refused.
[[nodiscard]] StatusOr<std::string> FormatTime(int64_t unix_ns, int32_t utc_offset_s, std::string_view format);
// `location` is a name of the IANA database for texts that say no zone; "" for UTC.
[[nodiscard]] StatusOr<ParsedTime> ParseTime(std::string_view text, std::string_view format, std::string_view location);
// OK if both know every directive of `format`.
[[nodiscard]] Status CheckTimeFormat(std::string_view format);

// Go's time.ParseDuration: "1h15m30.5s", "-1.5h", "300ms". nullopt if it is none, or out of range.
[[nodiscard]] std::optional<int64_t> ParseDuration(std::string_view text);

}  // namespace spanloom::ottl
