// SPDX-License-Identifier: Apache-2.0

#include "cli/console/text_format.h"

#include <absl/strings/str_format.h>
#include <absl/time/time.h>

#include <array>
#include <string_view>

#include "base/text.h"

namespace spanloom::cli::console {

std::string Grouped(uint64_t number) {
  if (number < 1000) return StrCat(number);
  return absl::StrFormat("%s,%03d", Grouped(number / 1000), number % 1000);
}

std::string CountOf(uint64_t number, std::string_view noun) {
  return StrCat(Grouped(number), " ", noun, number == 1 ? "" : "s");
}

std::string FormatBytes(uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits = {"kB", "MB", "GB", "TB", "PB"};
  if (bytes < 1000) return StrCat(bytes, " B");
  double value = static_cast<double>(bytes) / 1000;
  size_t unit = 0;
  for (; value >= 999.95 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  return absl::StrFormat("%.1f %s", value, AbslView(kUnits[unit]));
}

std::string FormatTime(uint64_t unix_ns) {
  const absl::Time time = absl::UnixEpoch() + absl::Seconds(static_cast<int64_t>(unix_ns / 1'000'000'000)) +
                          absl::Nanoseconds(static_cast<int64_t>(unix_ns % 1'000'000'000));
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", time, absl::UTCTimeZone());
}

}  // namespace spanloom::cli::console
