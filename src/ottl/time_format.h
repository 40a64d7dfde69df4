// SPDX-License-Identifier: Apache-2.0
//
// The Collector's formats of times, "%Y-%m-%d" (internal/coreinternal/timeutils), which it turns into layouts of Go's
// time package: what they write and read are Go's ways.

#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace spanloom::ottl {

struct ParsedTime {
  int64_t unix_ns = 0;
  int32_t utc_offset_s = 0;
};

// Directives (the list stands in docs/ottl.md), all else literally. Immutable.
class TimeFormat {
 public:
  // kInvalidArgument names a directive that is not known; or refuses digits, and fractions of a second that stand
  // behind neither a point nor a comma.
  static StatusOr<TimeFormat> Compile(std::string_view format);

  [[nodiscard]] std::string Format(int64_t unix_ns, int32_t utc_offset_s) const;

  // Numbers may have one digit where two are written, and spaces in front; behind seconds there may be a fraction. What
  // says no zone is in `zone`; what says no year is in the one of `now_unix_ns`, or the one before, so that it lies at
  // most a week ahead. kInvalidArgument names the byte where `text` differs, or a zone that is not known; times beyond
  // what 64 bits of nanoseconds hold (1677 to 2262) are refused.
  [[nodiscard]] StatusOr<ParsedTime> Parse(std::string_view text, const absl::TimeZone& zone,
                                           int64_t now_unix_ns) const;

 private:
  friend class TimeReader;

  struct Element {
    char directive = 0;   // 0: `literal`
    std::string literal;  // of a fraction, what stands in front of it
  };

  void Add(std::string_view format);
  void AddLiteral(std::string_view text);

  std::vector<Element> elements_;
};

// The zone of that name: of the IANA database, "UTC", or "Local". nullopt if there is none.
[[nodiscard]] std::optional<absl::TimeZone> ZoneOf(const std::string& name);

}  // namespace spanloom::ottl
