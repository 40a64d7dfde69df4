// SPDX-License-Identifier: Apache-2.0

#include "ottl/calendar.h"

#include <absl/strings/match.h>
#include <absl/strings/str_format.h>
#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <span>

#include "base/text.h"

namespace spanloom::ottl {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kDaySeconds = 86'400;

constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kWeekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr size_t kShortName = 3;  // letters of "Jan", "Sun"

// Directives that stand for several.
std::string_view Expansion(char directive) {
  switch (directive) {
    case 'D':
    case 'x':
      return "%m/%d/%Y";
    case 'F':
      return "%Y-%m-%d";
    case 'T':
    case 'X':
      return "%H:%M:%S";
    case 'r':
      return "%I:%M:%S %P";
    case 'R':
      return "%H:%M";
    case 'c':
      return "%a %b %d %H:%M:%S %Y";
    default:
      return {};
  }
}

constexpr std::string_view kDirectives = "YymoqbhBdegaAHIlpPMSLfszZijkwntDxFTXrRc%";

int64_t FloorDivide(int64_t a, int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

// "+0130" and its like.
std::string FormatOffset(int32_t offset_s, std::string_view separator, int parts) {
  const int32_t total = std::abs(offset_s);
  std::string text = absl::StrFormat("%c%02d", offset_s < 0 ? '-' : '+', total / 3600);
  if (parts > 1) StrAppend(text, separator, absl::StrFormat("%02d", total / 60 % 60));
  if (parts > 2) StrAppend(text, separator, absl::StrFormat("%02d", total % 60));
  return text;
}

int Hour12(int hour) {
  return hour % 12 == 0 ? 12 : hour % 12;
}

// What a directive writes; nullopt if there is no such directive.
std::optional<std::string> FormatDirective(char directive, const Date& d, int32_t offset_s) {
  const auto zeros = [](int width, int64_t value) { return absl::StrFormat("%0*d", width, value); };
  const auto spaces = [](int width, int64_t value) { return absl::StrFormat("%*d", width, value); };
  const auto month = kMonths[static_cast<size_t>(d.month - 1)];
  const auto weekday = kWeekdays[static_cast<size_t>(d.weekday)];
  switch (directive) {
    case 'Y':
      return zeros(4, d.year);
    case 'y':
      return zeros(2, d.year % 100);
    case 'm':
      return zeros(2, d.month);
    case 'o':
      return spaces(2, d.month);
    case 'q':
      return spaces(1, d.month);
    case 'b':
    case 'h':
      return std::string(month.substr(0, kShortName));
    case 'B':
      return std::string(month);
    case 'd':
      return zeros(2, d.day);
    case 'e':
      return spaces(2, d.day);
    case 'g':
      return spaces(1, d.day);
    case 'a':
      return std::string(weekday.substr(0, kShortName));
    case 'A':
      return std::string(weekday);
    case 'H':
      return zeros(2, d.hour);
    case 'I':
      return zeros(2, Hour12(d.hour));
    case 'l':
      return spaces(1, Hour12(d.hour));
    case 'p':
      return d.hour < 12 ? "AM" : "PM";
    case 'P':
      return d.hour < 12 ? "am" : "pm";
    case 'M':
      return zeros(2, d.minute);
    case 'S':
      return zeros(2, d.second);
    case 'L':
      return zeros(3, d.nanosecond / 1'000'000);
    case 'f':
      return zeros(6, d.nanosecond / 1'000);
    case 's':
      return zeros(9, d.nanosecond);
    case 'z':
      return FormatOffset(offset_s, "", 2);
    case 'Z':
      return offset_s == 0 ? "UTC" : FormatOffset(offset_s, "", 2);
    case 'i':
      return FormatOffset(offset_s, "", 1);
    case 'j':
      return FormatOffset(offset_s, ":", 2);
    case 'k':
      return FormatOffset(offset_s, ":", 3);
    case 'w':
      return FormatOffset(offset_s, "", 3);
    case 'n':
      return "\n";
    case 't':
      return "\t";
    case '%':
      return "%";
    default:
      return std::nullopt;
  }
}

Status UnknownDirective(std::string_view format) {
  return absl::InvalidArgumentError(StrCat("unknown directive ", format.substr(0, 2), " in the time format"));
}

// Reads a text by a format.
class TimeParser {
 public:
  explicit TimeParser(std::string_view text) : rest_(text), size_(text.size()) {}

  Status Read(std::string_view format) {
    while (!format.empty()) {
      if (format[0] != '%') {
        if (!Take(format.substr(0, 1))) return Differs();
        format.remove_prefix(1);
        continue;
      }
      if (format.size() < 2) return UnknownDirective(format);
      RETURN_IF_ERROR(ReadDirective(format));
      format.remove_prefix(2);
    }
    return absl::OkStatus();
  }

  StatusOr<ParsedTime> Finish(std::string_view location) {
    if (!rest_.empty()) return Differs();
    if (is_afternoon_) date_.hour = date_.hour % 12 + (*is_afternoon_ ? 12 : 0);
    const absl::CivilSecond civil(date_.year, date_.month, date_.day, date_.hour, date_.minute, date_.second);
    const bool is_normal = civil.month() == date_.month && civil.day() == date_.day && civil.hour() == date_.hour;
    if (!is_normal) return absl::InvalidArgumentError("there is no such date or time of day");
    absl::TimeZone zone = absl::UTCTimeZone();
    if (offset_s_) {
      zone = absl::FixedTimeZone(*offset_s_);
    } else if (!location.empty() && !absl::LoadTimeZone(AbslView(location), &zone)) {
      return absl::InvalidArgumentError(StrCat("unknown time zone ", location));
    }
    const absl::Time time = absl::FromCivil(civil, zone);
    const int64_t seconds = absl::ToUnixSeconds(time);
    constexpr int64_t kSecondsMax = std::numeric_limits<int64_t>::max() / kSecondNs - 1;
    if (seconds > kSecondsMax || seconds < -kSecondsMax) return absl::InvalidArgumentError("the time is out of range");
    return ParsedTime{.unix_ns = seconds * kSecondNs + date_.nanosecond, .utc_offset_s = zone.At(time).offset};
  }

 private:
  [[nodiscard]] Status Differs() const {
    return absl::InvalidArgumentError(StrCat("the text differs from the time format at byte ", size_ - rest_.size()));
  }

  bool Take(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }

  // Up to `digits` digits, at least `least`.
  std::optional<int> Number(size_t least, size_t digits) {
    size_t count = 0;
    int value = 0;
    while (count < digits && count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9') {
      value = value * 10 + (rest_[count++] - '0');
    }
    if (count < least) return std::nullopt;
    rest_.remove_prefix(count);
    return value;
  }

  Status Set(int& part, std::optional<int> value, int low, int high) {
    if (!value || *value < low || *value > high) return Differs();
    part = *value;
    return absl::OkStatus();
  }

  // The index of the name that comes next, in full or short.
  std::optional<int> Name(std::span<const std::string_view> names, bool is_short) {
    for (size_t i = 0; i < names.size(); ++i) {
      const std::string_view name = is_short ? names[i].substr(0, kShortName) : names[i];
      if (!absl::StartsWithIgnoreCase(AbslView(rest_), AbslView(name))) continue;
      rest_.remove_prefix(name.size());
      return static_cast<int>(i);
    }
    return std::nullopt;
  }

  Status ReadDirective(std::string_view format) {
    const char directive = format[1];
    if (const std::string_view expansion = Expansion(directive); !expansion.empty()) return Read(expansion);
    switch (directive) {
      case 'Y': {
        const auto year = Number(4, 4);
        if (!year) return Differs();
        date_.year = *year;
        return absl::OkStatus();
      }
      case 'y': {
        const auto year = Number(2, 2);
        if (!year) return Differs();
        date_.year = *year + (*year < 69 ? 2000 : 1900);  // as Go and POSIX do
        return absl::OkStatus();
      }
      case 'm':
        return Set(date_.month, Number(2, 2), 1, 12);
      case 'o':
      case 'q':
        Take(" ");
        return Set(date_.month, Number(1, 2), 1, 12);
      case 'b':
      case 'h':
        return SetMonth(true);
      case 'B':
        return SetMonth(false);
      case 'd':
        return Set(date_.day, Number(2, 2), 1, 31);
      case 'e':
      case 'g':
        Take(" ");
        return Set(date_.day, Number(1, 2), 1, 31);
      case 'a':
      case 'A':
        return Name(kWeekdays, directive == 'a') ? absl::OkStatus() : Differs();
      default:
        return ReadTimeOfDay(format);
    }
  }

  Status SetMonth(bool is_short) {
    const auto month = Name(kMonths, is_short);
    if (!month) return Differs();
    date_.month = *month + 1;
    return absl::OkStatus();
  }

  Status ReadTimeOfDay(std::string_view format) {
    switch (format[1]) {
      case 'H':
        return Set(date_.hour, Number(2, 2), 0, 23);
      case 'I':
        return Set(date_.hour, Number(2, 2), 1, 12);
      case 'l':
        Take(" ");
        return Set(date_.hour, Number(1, 2), 1, 12);
      case 'M':
        return Set(date_.minute, Number(2, 2), 0, 59);
      case 'S':
        return Set(date_.second, Number(2, 2), 0, 59);
      case 'L':
        return SetFraction(3);
      case 'f':
        return SetFraction(6);
      case 's':
        return SetFraction(9);
      case 'p':
      case 'P':
        is_afternoon_ = absl::StartsWithIgnoreCase(AbslView(rest_), "pm");
        if (!*is_afternoon_ && !absl::StartsWithIgnoreCase(AbslView(rest_), "am")) return Differs();
        rest_.remove_prefix(2);
        return absl::OkStatus();
      case 'Z':
        return ReadZoneName();
      case 'z':
      case 'i':
      case 'j':
      case 'k':
      case 'w':
        return ReadOffset();
      case 'n':
        return Take("\n") ? absl::OkStatus() : Differs();
      case 't':
        return Take("\t") ? absl::OkStatus() : Differs();
      case '%':
        return Take("%") ? absl::OkStatus() : Differs();
      default:
        return UnknownDirective(format);
    }
  }

  Status SetFraction(size_t digits) {
    auto value = Number(digits, digits);
    if (!value) return Differs();
    for (size_t i = digits; i < 9; ++i) value = *value * 10;
    date_.nanosecond = *value;
    return absl::OkStatus();
  }

  // "Z", "+01", "+0130", "+01:30", with seconds if there are some.
  Status ReadOffset() {
    if (Take("Z")) {
      offset_s_ = 0;
      return absl::OkStatus();
    }
    const int sign = Take("-") ? -1 : Take("+") ? 1 : 0;
    const auto hours = Number(2, 2);
    if (sign == 0 || !hours) return Differs();
    int seconds = *hours * 3600;
    for (const int unit : {60, 1}) {
      const std::string_view before = rest_;
      Take(":");
      const auto part = Number(2, 2);
      if (!part) {
        rest_ = before;
        break;
      }
      seconds += *part * unit;
    }
    offset_s_ = sign * seconds;
    return absl::OkStatus();
  }

  // Go takes an abbreviation that it cannot resolve as a zone of that name without an offset.
  Status ReadZoneName() {
    size_t size = 0;
    while (size < rest_.size() && rest_[size] >= 'A' && rest_[size] <= 'Z') ++size;
    if (size < 3 || size > 5) return Differs();
    const std::string_view name = rest_.substr(0, size);
    rest_.remove_prefix(size);
    if (!offset_s_ && (name == "UTC" || name == "GMT")) offset_s_ = 0;
    if (!offset_s_) {
      absl::TimeZone zone;
      if (absl::LoadTimeZone(AbslView(name), &zone)) offset_s_ = zone.At(absl::UnixEpoch()).offset;
    }
    return absl::OkStatus();
  }

  std::string_view rest_;
  size_t size_;
  Date date_;
  std::optional<int32_t> offset_s_;
  std::optional<bool> is_afternoon_;
};

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
          .nanosecond = static_cast<int>(unix_ns - unix_s * kSecondNs)};
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

StatusOr<std::string> FormatTime(int64_t unix_ns, int32_t utc_offset_s, std::string_view format) {
  const Date date = DateOf(unix_ns, utc_offset_s);
  std::string text;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      text.push_back(format[i]);
      continue;
    }
    if (i + 1 == format.size()) return UnknownDirective(format.substr(i));
    const char directive = format[++i];
    if (const std::string_view expansion = Expansion(directive); !expansion.empty()) {
      ASSIGN_OR_RETURN(const std::string expanded, FormatTime(unix_ns, utc_offset_s, expansion));
      text += expanded;
      continue;
    }
    const auto part = FormatDirective(directive, date, utc_offset_s);
    if (!part) return UnknownDirective(format.substr(i - 1));
    text += *part;
  }
  return text;
}

StatusOr<ParsedTime> ParseTime(std::string_view text, std::string_view format, std::string_view location) {
  TimeParser parser(text);
  RETURN_IF_ERROR(parser.Read(format));
  return parser.Finish(location);
}

Status CheckTimeFormat(std::string_view format) {
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') continue;
    const bool is_known = i + 1 < format.size() && kDirectives.find(format[i + 1]) != std::string_view::npos;
    if (!is_known) return UnknownDirective(format.substr(i));
    ++i;
  }
  return absl::OkStatus();
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
