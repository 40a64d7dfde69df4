// SPDX-License-Identifier: Apache-2.0

#include "ottl/time_format.h"

#include <absl/strings/match.h>
#include <absl/strings/str_format.h>
#include <absl/time/civil_time.h>

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <utility>

#include "base/text.h"
#include "ottl/calendar.h"
#include "ottl/lexer.h"

namespace spanloom::ottl {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kWeekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr size_t kShortName = 3;  // letters of "Jan", "Sun"

constexpr std::string_view kDirectives = "YymoqbhBdegaAHIlpPMSLfszZijkwntDxFTXrRc%";
constexpr char kAnyYear = '4';  // of %D: written with 4 digits, read with 4 or 2

// What stands for several, or for a text.
std::string_view Expansion(char directive) {
  switch (directive) {
    case 'D':
    case 'x':
      return "%m/%d/%4";
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

// Digits of a fraction of a second; 0 if it is another directive.
int FractionDigits(char directive) {
  return directive == 'L' ? 3 : directive == 'f' ? 6 : directive == 's' ? 9 : 0;
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

std::string Padded(int width, int64_t value) {
  return absl::StrFormat("%0*d", width, value);
}

// With `separator` in front; nothing if it is zero.
std::string FormatFraction(std::string_view separator, int digits, int nanosecond) {
  std::string text = Padded(9, nanosecond).substr(0, static_cast<size_t>(digits));
  text.erase(text.find_last_not_of('0') + 1);
  return text.empty() ? text : StrCat(separator, text);
}

std::string FormatDay(char directive, const Date& d) {
  const auto month = kMonths[static_cast<size_t>(d.month - 1)];
  const auto weekday = kWeekdays[static_cast<size_t>(d.weekday)];
  switch (directive) {
    case 'Y':
    case kAnyYear:
      return Padded(4, d.year);
    case 'y':
      return Padded(2, d.year % 100);
    case 'm':
      return Padded(2, d.month);
    case 'o':
      return StrCat("_", d.month);
    case 'q':
      return StrCat(d.month);
    case 'b':
    case 'h':
      return std::string(month.substr(0, kShortName));
    case 'B':
      return std::string(month);
    case 'd':
      return Padded(2, d.day);
    case 'e':
      return absl::StrFormat("%2d", d.day);
    case 'g':
      return StrCat(d.day);
    case 'a':
      return std::string(weekday.substr(0, kShortName));
    default:
      return std::string(weekday);
  }
}

std::string FormatTimeOfDay(char directive, const Date& d, int32_t offset_s) {
  const int hour = d.hour % 12 == 0 ? 12 : d.hour % 12;
  switch (directive) {
    case 'H':
      return Padded(2, d.hour);
    case 'I':
      return Padded(2, hour);
    case 'l':
      return StrCat(hour);
    case 'p':
      return d.hour < 12 ? "AM" : "PM";
    case 'P':
      return d.hour < 12 ? "am" : "pm";
    case 'M':
      return Padded(2, d.minute);
    case 'S':
      return Padded(2, d.second);
    case 'z':
      return offset_s == 0 ? "Z" : FormatOffset(offset_s, "", 2);
    case 'Z':
      return offset_s == 0 ? "UTC" : FormatOffset(offset_s, "", 2);
    case 'i':
      return FormatOffset(offset_s, "", 1);
    case 'j':
      return FormatOffset(offset_s, ":", 2);
    case 'k':
      return FormatOffset(offset_s, ":", 3);
    default:
      return FormatOffset(offset_s, "", 3);
  }
}

// The bytes of a sign and of up to 23 hours at the start of `text`; 0 if there are none.
size_t HoursSize(std::string_view text) {
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return 0;
  size_t size = 1;
  int hours = 0;
  for (; size < text.size() && IsDigit(text[size]); ++size) {
    hours = hours * 10 + (text[size] - '0');
    if (hours > 23) return 0;
  }
  return size > 1 ? size : 0;
}

// The bytes at the start of `text` that may abbreviate a zone: three to five capitals, or GMT with hours; 0 if there
// are none.
size_t ZoneNameSize(std::string_view text) {
  if (text.starts_with("ChST") || text.starts_with("MeST")) return 4;
  if (text.starts_with("GMT")) return 3 + HoursSize(text.substr(3));
  size_t size = 0;
  while (size < text.size() && size < 6 && text[size] >= 'A' && text[size] <= 'Z') ++size;
  const bool ends_in_t = size > 3 && text[size - 1] == 'T';
  if (size == 5) return ends_in_t ? 5 : 0;
  if (size == 4) return ends_in_t || text.starts_with("WITA") ? 4 : 0;
  return size == 3 ? 3 : 0;
}

// The offset that `zone` has under that abbreviation at the time, or half a year away; nullopt if it has none.
std::optional<int32_t> OffsetByName(const absl::TimeZone& zone, std::string_view name, absl::CivilSecond civil) {
  for (const int months : {0, 6, -6}) {
    const auto info = zone.At(absl::FromCivil(
        absl::CivilSecond(civil.year(), civil.month() + months, civil.day(), civil.hour(), civil.minute()), zone));
    if (info.zone_abbr == name) return info.offset;
  }
  return std::nullopt;
}

}  // namespace

std::optional<absl::TimeZone> ZoneOf(const std::string& name) {
  absl::TimeZone zone = absl::LocalTimeZone();
  if (name == "Local" || absl::LoadTimeZone(name, &zone)) return zone;
  return std::nullopt;
}

StatusOr<TimeFormat> TimeFormat::Compile(std::string_view format) {
  if (std::any_of(format.begin(), format.end(), IsDigit)) {
    return absl::InvalidArgumentError("format string should not contain decimals");
  }
  for (size_t i = 0; i + 1 < format.size(); ++i) {
    if (format[i] != '%' || format[i + 1] == '\n') continue;
    const std::string_view directive = format.substr(i, 2);
    if (kDirectives.find(directive[1]) == std::string_view::npos) {
      return absl::InvalidArgumentError(
          StrCat("invalid strptime format: [unsupported ctimefmt.toNative() directive: ", directive, "]"));
    }
    if (i > 0 && FractionDigits(directive[1]) > 0 && format[i - 1] != '.' && format[i - 1] != ',') {
      return absl::InvalidArgumentError(StrCat("invalid fractional seconds directive: '", format.substr(i - 1, 3),
                                               "'. must be preceded with '.' or ','"));
    }
    ++i;
  }
  TimeFormat compiled;
  compiled.Add(format);
  return compiled;
}

void TimeFormat::AddLiteral(std::string_view text) {
  if (elements_.empty() || elements_.back().directive != 0) elements_.emplace_back();
  elements_.back().literal += text;
}

// `format` has passed Compile's checks, or is an expansion.
void TimeFormat::Add(std::string_view format) {
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size() || format[i + 1] == '\n') {
      AddLiteral(format.substr(i, 1));
      continue;
    }
    const char directive = format[++i];
    if (const std::string_view expansion = Expansion(directive); !expansion.empty()) {
      Add(expansion);
    } else if (directive == '%' || directive == 'n' || directive == 't') {
      AddLiteral(directive == '%' ? "%" : directive == 'n' ? "\n" : "\t");
    } else if (const int digits = FractionDigits(directive); digits == 0) {
      elements_.push_back({.directive = directive, .literal = ""});
    } else if (elements_.empty()) {
      AddLiteral(std::string(static_cast<size_t>(digits), '9'));  // as Go has it without a point
    } else {
      std::string& literal = elements_.back().literal;
      const std::string separator = literal.substr(literal.size() - 1);
      literal.pop_back();
      if (literal.empty()) elements_.pop_back();
      elements_.push_back({.directive = directive, .literal = separator});
    }
  }
}

std::string TimeFormat::Format(int64_t unix_ns, int32_t utc_offset_s) const {
  constexpr std::string_view kOfDays = "Y4ymoqbhBdegaA";
  const Date date = DateOf(unix_ns, utc_offset_s);
  std::string text;
  for (const auto& [directive, literal] : elements_) {
    if (directive == 0) {
      text += literal;
    } else if (const int digits = FractionDigits(directive); digits > 0) {
      text += FormatFraction(literal, digits, date.nanosecond);
    } else {
      const bool is_of_day = kOfDays.find(directive) != std::string_view::npos;
      text += is_of_day ? FormatDay(directive, date) : FormatTimeOfDay(directive, date, utc_offset_s);
    }
  }
  return text;
}

// Reads a text by a format.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text), size_(text.size()) {}

  Status Read(const TimeFormat& format) {
    for (size_t i = 0; i < format.elements_.size(); ++i) {
      const auto& [directive, literal] = format.elements_[i];
      if (directive != 0 && FractionDigits(directive) == 0) {
        if (!Directive(directive, IsBeforeFraction(format, i))) return Differs();
      } else if (directive == 0 ? !Literal(literal) : !Fraction()) {
        return Differs();
      }
    }
    return rest_.empty() ? absl::OkStatus() : Differs();
  }

  StatusOr<ParsedTime> Finish(const absl::TimeZone& zone, int64_t now_unix_ns) {
    constexpr std::array<int, 12> kDays = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool is_leap = date_.year % 4 == 0 && (date_.year % 100 != 0 || date_.year % 400 == 0);
    const int days = date_.month == 2 && !is_leap ? 28 : kDays[static_cast<size_t>(date_.month - 1)];
    if (date_.day < 1 || date_.day > days) return absl::InvalidArgumentError("day out of range");
    if (is_afternoon_ && *is_afternoon_ && date_.hour < 12) date_.hour += 12;
    if (is_afternoon_ && !*is_afternoon_ && date_.hour == 12) date_.hour = 0;
    const bool has_year = date_.year > 0;
    if (!has_year) date_.year = DateOf(now_unix_ns, 0).year;
    ASSIGN_OR_RETURN(ParsedTime time, InZone(zone));
    constexpr int64_t kWeekNs = 7 * 86'400 * kSecondNs;
    if (has_year || time.unix_ns <= now_unix_ns + kWeekNs) return time;
    --date_.year;
    return InZone(zone);
  }

 private:
  // True if the next directive is one of a fraction of a second.
  static bool IsBeforeFraction(const TimeFormat& format, size_t at) {
    const auto next = std::find_if(format.elements_.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                                   format.elements_.end(), [](const auto& element) { return element.directive != 0; });
    return next != format.elements_.end() && FractionDigits(next->directive) > 0;
  }

  [[nodiscard]] Status Differs() const {
    return absl::InvalidArgumentError(StrCat("the text differs from the time format at byte ", size_ - rest_.size()));
  }

  StatusOr<ParsedTime> InZone(const absl::TimeZone& zone) const {
    const absl::CivilSecond civil(date_.year, date_.month, date_.day, date_.hour, date_.minute, date_.second);
    absl::TimeZone own = zone;
    if (offset_s_) {
      own = absl::FixedTimeZone(*offset_s_);
    } else if (!zone_name_.empty()) {
      ASSIGN_OR_RETURN(const int32_t offset_s, NamedOffset(zone, civil));
      own = absl::FixedTimeZone(offset_s);
    }
    // A time of day that a change of the clocks leaves out is taken by the clock behind it, as in Go.
    const auto info = own.At(civil);
    const absl::Time time = info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.post : info.pre;
    const int64_t seconds = absl::ToUnixSeconds(time);
    constexpr int64_t kSecondsMax = std::numeric_limits<int64_t>::max() / kSecondNs - 1;
    if (seconds > kSecondsMax || seconds < -kSecondsMax) return absl::InvalidArgumentError("the time is out of range");
    return ParsedTime{.unix_ns = seconds * kSecondNs + date_.nanosecond, .utc_offset_s = own.At(time).offset};
  }

  // By the abbreviations of `zone`, or of the zone that is called so.
  [[nodiscard]] StatusOr<int32_t> NamedOffset(const absl::TimeZone& zone, absl::CivilSecond civil) const {
    if (const auto offset = OffsetByName(zone, zone_name_, civil)) return *offset;
    if (zone_name_.starts_with("GMT") && zone_name_.size() > 3) {
      const int hours = std::stoi(zone_name_.substr(4));
      return (zone_name_[3] == '-' ? -hours : hours) * 3600;
    }
    const auto named = ZoneOf(zone_name_);
    if (!named) return absl::InvalidArgumentError(StrCat("failed to load location ", zone_name_));
    return OffsetByName(*named, zone_name_, civil).value_or(named->At(absl::FromCivil(civil, *named)).offset);
  }

  // Spaces stand for any number of them, but none only at the end.
  bool Literal(std::string_view literal) {
    while (!literal.empty()) {
      if (literal.front() == ' ') {
        if (!rest_.empty() && rest_.front() != ' ') return false;
        while (literal.starts_with(' ')) literal.remove_prefix(1);
        while (rest_.starts_with(' ')) rest_.remove_prefix(1);
        continue;
      }
      if (!rest_.starts_with(literal.front())) return false;
      literal.remove_prefix(1);
      rest_.remove_prefix(1);
    }
    return true;
  }

  void SkipSpaces() {
    while (!rest_.empty() && (rest_.front() == ' ' || (rest_.front() >= '\t' && rest_.front() <= '\r'))) {
      rest_.remove_prefix(1);
    }
  }

  // Between `least` and `most` digits.
  std::optional<int> Number(size_t least, size_t most) {
    size_t count = 0;
    int value = 0;
    while (count < most && count < rest_.size() && IsDigit(rest_[count])) value = value * 10 + (rest_[count++] - '0');
    if (count < least) return std::nullopt;
    rest_.remove_prefix(count);
    return value;
  }

  bool Part(int& part, int low, int high) {
    SkipSpaces();
    const auto value = Number(1, 2);
    if (!value || *value < low || *value > high) return false;
    part = *value;
    return true;
  }

  bool Year(size_t digits) {
    SkipSpaces();
    const auto year = Number(digits, digits);
    if (!year) return false;
    date_.year = digits == 4 ? *year : *year + (*year < 69 ? 2000 : 1900);  // as Go and POSIX do
    return true;
  }

  bool AnyYear() {
    SkipSpaces();
    const size_t digits = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    return Year(digits < 4 ? 2 : 4);
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

  bool Directive(char directive, bool has_fraction) {
    switch (directive) {
      case 'Y':
        return Year(4);
      case 'y':
        return Year(2);
      case kAnyYear:
        return AnyYear();
      case 'm':
      case 'o':
      case 'q':
        return Part(date_.month, 1, 12);
      case 'b':
      case 'h':
      case 'B': {
        const auto month = Name(kMonths, directive != 'B');
        date_.month = month.value_or(0) + 1;
        return month.has_value();
      }
      case 'd':
      case 'e':
      case 'g':
        return Part(date_.day, 0, 99);
      case 'a':
      case 'A':
        return Name(kWeekdays, directive == 'a').has_value();
      case 'H':
        return Part(date_.hour, 0, 23);
      case 'I':
      case 'l':
        return Part(date_.hour, 0, 12);
      case 'M':
        return Part(date_.minute, 0, 59);
      case 'S':
        return Part(date_.second, 0, 59) && (has_fraction || Fraction());
      case 'p':
        return Afternoon("AM", "PM");
      case 'P':
        return Afternoon("am", "pm");
      case 'Z':
        return ZoneName();
      default:
        return AnyOffset(directive);
    }
  }

  bool Afternoon(std::string_view am, std::string_view pm) {
    is_afternoon_ = rest_.starts_with(pm);
    if (!*is_afternoon_ && !rest_.starts_with(am)) return false;
    rest_.remove_prefix(am.size());
    return true;
  }

  // Behind a point or comma, if there is one; digits beyond the ninth are passed over.
  bool Fraction() {
    const bool is_there = rest_.size() > 1 && (rest_.front() == '.' || rest_.front() == ',') && IsDigit(rest_[1]);
    if (!is_there) return true;
    rest_.remove_prefix(1);
    int nanosecond = 0;
    for (int i = 0; i < 9; ++i) nanosecond = nanosecond * 10 + Number(1, 1).value_or(0);
    date_.nanosecond = nanosecond;
    while (Number(1, 1)) continue;
    return true;
  }

  bool ZoneName() {
    if (rest_.starts_with("UTC")) {
      offset_s_ = 0;
      rest_.remove_prefix(3);
      return true;
    }
    const size_t size = ZoneNameSize(rest_);
    zone_name_ = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return size > 0;
  }

  bool AnyOffset(char directive) {
    switch (directive) {
      case 'z':
        SkipSpaces();
        if (rest_.starts_with('Z')) {
          offset_s_ = 0;
          rest_.remove_prefix(1);
          return true;
        }
        return Offset(2, false) || Offset(2, true) || Offset(1, false);
      case 'i':
        return Offset(1, false);
      case 'j':
        return Offset(2, true);
      case 'k':
        return Offset(3, true);
      default:
        return Offset(3, false);
    }
  }

  // Of hours, minutes and seconds, with as many parts. False leaves the text as it is.
  bool Offset(int parts, bool has_colons) {
    constexpr int kUnits[] = {3600, 60, 1};
    const std::string_view before = rest_;
    const int sign = rest_.starts_with('-') ? -1 : rest_.starts_with('+') ? 1 : 0;
    int32_t total_s = 0;
    bool is_read = sign != 0;
    if (is_read) rest_.remove_prefix(1);
    for (int i = 0; i < parts && is_read; ++i) {
      if (i > 0 && has_colons) is_read = Literal(":");
      const auto value = is_read ? Number(2, 2) : std::nullopt;
      is_read = value && *value <= (i == 0 ? 24 : 60);
      if (is_read) total_s += *value * kUnits[i];
    }
    if (is_read) {
      offset_s_ = sign * total_s;
    } else {
      rest_ = before;
    }
    return is_read;
  }

  std::string_view rest_;
  size_t size_;
  Date date_{.year = 0};
  std::optional<int32_t> offset_s_;
  std::optional<bool> is_afternoon_;
  std::string zone_name_;
};

StatusOr<ParsedTime> TimeFormat::Parse(std::string_view text, const absl::TimeZone& zone, int64_t now_unix_ns) const {
  TimeReader reader(text);
  RETURN_IF_ERROR(reader.Read(*this));
  return reader.Finish(zone, now_unix_ns);
}

}  // namespace spanloom::ottl
