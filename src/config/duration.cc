// SPDX-License-Identifier: Apache-2.0

#include "config/duration.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_replace.h>
#include <absl/time/time.h>

#include "base/text.h"

namespace spanloom::config {
namespace {

using std::chrono::nanoseconds;

// "1.50" becomes "1.5", "2.0" becomes "2".
std::string TrimFraction(std::string text) {
  if (text.find('.') == std::string::npos) return text;
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

// `count` / `unit`, exactly, with at most nine decimals.
std::string Fraction(int64_t count, int64_t unit) {
  std::string decimals;
  int64_t rest = count % unit;
  for (int64_t scale = unit / 10; scale > 0; scale /= 10) {
    decimals += static_cast<char>('0' + rest / scale);
    rest %= scale;
  }
  return TrimFraction(decimals.empty() ? StrCat(count / unit) : StrCat(count / unit, ".", decimals));
}

std::string FormatSeconds(int64_t ns) {
  constexpr int64_t kSecond = 1'000'000'000;
  const int64_t minutes = ns / (60 * kSecond);
  std::string text;
  if (minutes >= 60) StrAppend(text, minutes / 60, "h");
  if (minutes > 0) StrAppend(text, minutes % 60, "m");
  return StrCat(text, Fraction(ns % (60 * kSecond), kSecond), "s");
}

}  // namespace

std::optional<nanoseconds> ParseDuration(std::string_view text) {
  absl::Duration duration;
  // Abseil reads Go's syntax; it would also take "inf" and surrounding space.
  if (text.empty() || absl::ascii_isspace(static_cast<unsigned char>(text.front())) ||
      absl::ascii_isspace(static_cast<unsigned char>(text.back()))) {
    return std::nullopt;
  }
  // Go writes microseconds with either micro sign; Abseil knows "us".
  const std::string ascii = absl::StrReplaceAll(AbslView(text), {{"\u00b5s", "us"}, {"\u03bcs", "us"}});
  if (!absl::ParseDuration(ascii, &duration)) return std::nullopt;
  if (duration > absl::Nanoseconds(INT64_MAX) || duration < absl::Nanoseconds(INT64_MIN)) return std::nullopt;
  return nanoseconds(absl::ToInt64Nanoseconds(duration));
}

std::string FormatDuration(nanoseconds duration) {
  const int64_t ns = duration.count();
  if (ns == 0) return "0s";
  if (ns == INT64_MIN) return "-2562047h47m16.854775808s";
  if (ns < 0) return StrCat("-", FormatDuration(-duration));
  if (ns < 1'000) return StrCat(ns, "ns");
  if (ns < 1'000'000) return StrCat(Fraction(ns, 1'000), "µs");
  if (ns < 1'000'000'000) return StrCat(Fraction(ns, 1'000'000), "ms");
  return FormatSeconds(ns);
}

}  // namespace spanloom::config
