// SPDX-License-Identifier: Apache-2.0

#include "net/detail/date.h"

#include <cstdio>

#include "base/check.h"

namespace spanloom::net {
namespace {

// The names are HTTP's, whatever the locale.
constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr int kYearStart = 1900;

}  // namespace

std::string_view DateText::At(std::time_t now) {
  const std::string_view text(text_.data(), text_.size() - 1);
  if (now == second_) return text;
  second_ = now;
  std::tm utc{};
  CHECK(gmtime_r(&now, &utc) != nullptr);
  std::snprintf(text_.data(), text_.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays.at(utc.tm_wday),
                utc.tm_mday % 100, kMonths.at(utc.tm_mon), (utc.tm_year + kYearStart) % 10'000, utc.tm_hour % 100,
                utc.tm_min % 100, utc.tm_sec % 100);
  return text;
}

}  // namespace spanloom::net
