// SPDX-License-Identifier: Apache-2.0

#include "ottl/calendar.h"

#include <absl/strings/str_format.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdlib>

#include "base/text.h"

namespace spanloom::ottl {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kDaySeconds = 86'400;

int64_t FloorDivide(int64_t a, int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

// "2006-01-02 15:04:05.999999999", with `separator` between date and time.
std::string DateAndTime(const Date& d, char separator) {
  std::string text =
      absl::StrFormat("%04d-%02d-%02d%c%02d:%02d:%02d", d.year, d.month, d.day, separator, d.hour, d.minute, d.second);
  if (d.nanosecond == 0) return text;
  text += absl::StrFormat(".%09d", d.nanosecond);
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

}  // namespace

std::string FormatOffset(int32_t offset_s, std::string_view separator, int parts) {
  const int32_t total = std::abs(offset_s);
  std::string text = absl::StrFormat("%c%02d", offset_s < 0 ? '-' : '+', total / 3600);
  if (parts > 1) StrAppend(text, separator, absl::StrFormat("%02d", total / 60 % 60));
  if (parts > 2) StrAppend(text, separator, absl::StrFormat("%02d", total % 60));
  return text;
}

Date DateOf(int64_t unix_ns, int32_t utc_offset_s) {
  const int64_t unix_s = FloorDivide(unix_ns, kSecondNs);
  const int64_t local_s = unix_s + utc_offset_s;
  const int64_t days = FloorDivide(local_s, kDaySeconds);
  const int64_t of_day = local_s - days * kDaySeconds;
  const std::chrono::sys_days day{std::chrono::days(days)};
  const std::chrono::year_month_day date(day);
  return {.year = static_cast<int>(date.year()),
          .month = static_cast<int>(static_cast<unsigned>(date.month())),
          .day = static_cast<int>(static_cast<unsigned>(date.day())),
          .weekday = static_cast<int>(std::chrono::weekday(day).c_encoding()),
          .hour = static_cast<int>(of_day / 3600),
          .minute = static_cast<int>(of_day / 60 % 60),
          .second = static_cast<int>(of_day % 60),
          .nanosecond = static_cast<int>((unix_ns % kSecondNs + kSecondNs) % kSecondNs)};
}

std::string FormatGoTime(int64_t unix_ns, int32_t utc_offset_s) {
  const std::string offset = FormatOffset(utc_offset_s, "", 2);
  return StrCat(DateAndTime(DateOf(unix_ns, utc_offset_s), ' '), " ", offset, " ",
                utc_offset_s == 0 ? std::string("UTC") : offset);
}

std::string FormatRfc3339(int64_t unix_ns, int32_t utc_offset_s) {
  const std::string zone = utc_offset_s == 0 ? "Z" : FormatOffset(utc_offset_s, ":", 2);
  return DateAndTime(DateOf(unix_ns, utc_offset_s), 'T') + zone;
}

namespace {

constexpr std::pair<std::string_view, int64_t> kUnits[] = {
    {"ns", 1},         {"us", 1'000},    {"\u00b5s", 1'000},    {"\u03bcs", 1'000},
    {"ms", 1'000'000}, {"s", kSecondNs}, {"m", 60 * kSecondNs}, {"h", 3600 * kSecondNs},
};

// "1.5h" at the start of `text`, which it is taken from.
std::optional<double> TakeTerm(std::string_view& text, int64_t& whole_ns) {
  size_t size = text.find_first_not_of("0123456789.");
  if (size == 0 || size == std::string_view::npos) return std::nullopt;
  const std::string digits(text.substr(0, size));
  if (digits == "." || digits.find('.') != digits.rfind('.')) return std::nullopt;
  text.remove_prefix(size);
  std::string_view name;
  int64_t unit = 0;
  for (const auto& [candidate, ns] : kUnits) {
    if (text.starts_with(candidate) && candidate.size() > name.size()) {
      name = candidate;
      unit = ns;
    }
  }
  if (unit == 0) return std::nullopt;
  text.remove_prefix(name.size());
  const size_t point = digits.find('.');
  errno = 0;
  const int64_t whole = point == 0 ? 0 : std::strtoll(digits.substr(0, point).c_str(), nullptr, 10);
  if (errno != 0 || __builtin_mul_overflow(whole, unit, &whole_ns)) return std::nullopt;
  const double fraction = point == std::string::npos ? 0 : std::strtod(("0" + digits.substr(point)).c_str(), nullptr);
  return fraction * static_cast<double>(unit);
}

}  // namespace

std::optional<int64_t> ParseDuration(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  int64_t total_ns = 0;
  while (!text.empty()) {
    int64_t whole_ns = 0;
    const auto fraction_ns = TakeTerm(text, whole_ns);
    if (!fraction_ns || __builtin_add_overflow(total_ns, whole_ns, &total_ns)) return std::nullopt;
    const auto part_ns = static_cast<int64_t>(std::llround(*fraction_ns));
    if (__builtin_add_overflow(total_ns, part_ns, &total_ns)) return std::nullopt;
  }
  return is_negative ? -total_ns : total_ns;
}

}  // namespace spanloom::ottl
