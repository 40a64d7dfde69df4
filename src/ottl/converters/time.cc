// SPDX-License-Identifier: Apache-2.0
//
// Converters of times and durations.

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/text.h"
#include "ottl/calendar.h"
#include "ottl/function_table.h"
#include "ottl/time_format.h"

namespace spanloom::ottl {
namespace {

using Type = ParameterType;

constexpr Parameter kTime = {"time", Type::kTime};
constexpr Parameter kDuration = {"duration", Type::kDuration};

constexpr int64_t kSecondNs = 1'000'000'000;

Value Now(Evaluation& e, const Arguments&) {
  return Value::Time(e.clock().UnixNs());
}

Value Duration(Evaluation& e, const Arguments& a) {
  const auto ns = ParseDuration(a[0].text());
  return ns ? Value::Duration(*ns) : e.Fail(StrCat("time: invalid duration \"", a[0].text(), "\""));
}

// Of Time, the zone of texts that say none, too.
class PreparedFormat final : public Prepared {
 public:
  PreparedFormat(TimeFormat format, const absl::TimeZone& zone) : format_(std::move(format)), zone_(zone) {}
  [[nodiscard]] const TimeFormat& format() const { return format_; }
  [[nodiscard]] const absl::TimeZone& zone() const { return zone_; }

 private:
  TimeFormat format_;
  absl::TimeZone zone_;
};

PreparedOr PrepareTime(const Arguments& a) {
  if (a[1].text().empty()) return absl::InvalidArgumentError("format cannot be nil");
  ASSIGN_OR_RETURN(TimeFormat format, TimeFormat::Compile(a[1].text()));
  absl::TimeZone zone = a[1].text().ends_with('Z') ? absl::UTCTimeZone() : absl::LocalTimeZone();
  if (a.has(2) && !a[2].text().empty()) {
    const auto named = ZoneOf(std::string(a[2].text()));
    if (!named) return absl::InvalidArgumentError(StrCat("failed to load location ", a[2].text()));
    zone = *named;
  }
  if (a.has(3) && !a[3].text().empty() && !a[3].text().starts_with("en")) {
    return absl::InvalidArgumentError(
        StrCat("unsupported locale \"", a[3].text(), "\": names of months and days are read in English only"));
  }
  return std::make_unique<PreparedFormat>(std::move(format), zone);
}

Value ParsedAs(Evaluation& e, const Arguments& a) {
  if (a[0].text().empty()) return e.Fail("time cannot be nil");
  const auto& prepared = a.as<PreparedFormat>();
  const auto time = prepared.format().Parse(a[0].text(), prepared.zone(), e.clock().UnixNs());
  if (!time.ok()) return e.Fail(StrCat("Time: ", time.status().message()));
  return Value::Time(time->unix_ns, time->utc_offset_s);
}

PreparedOr PrepareFormatTime(const Arguments& a) {
  if (a[1].text().empty()) return absl::InvalidArgumentError("format cannot be nil");
  ASSIGN_OR_RETURN(TimeFormat format, TimeFormat::Compile(a[1].text()));
  return std::make_unique<PreparedFormat>(std::move(format), absl::UTCTimeZone());
}

Value Formatted(Evaluation& e, const Arguments& a) {
  return e.NewString(a.as<PreparedFormat>().format().Format(a[0].ns(), a[0].utc_offset_s()));
}

Value Unix(Evaluation& e, const Arguments& a) {
  const int64_t ns = a.has(1) ? a[1].int_value() : 0;
  int64_t unix_ns = 0;
  const bool overflows =
      __builtin_mul_overflow(a[0].int_value(), kSecondNs, &unix_ns) || __builtin_add_overflow(unix_ns, ns, &unix_ns);
  return overflows ? e.Fail("Unix: the time is out of range") : Value::Time(unix_ns);
}

// Rounds down from Go's zero time, the first of January of the year 1.
Value TruncateTime(Evaluation& e, const Arguments& a) {
  constexpr int64_t kZeroUnixSeconds = -62'135'596'800;
  const int64_t unit_ns = a[1].ns();
  if (unit_ns <= 0) return a[0];
  const __int128 since_zero_ns = static_cast<__int128>(a[0].ns()) - static_cast<__int128>(kZeroUnixSeconds) * kSecondNs;
  int64_t unix_ns = 0;
  if (__builtin_sub_overflow(a[0].ns(), static_cast<int64_t>(since_zero_ns % unit_ns), &unix_ns)) {
    return e.Fail("TruncateTime: the time is out of range");
  }
  return Value::Time(unix_ns, a[0].utc_offset_s());
}

template <int64_t kUnitNs>
Value UnixIn(Evaluation&, const Arguments& a) {
  const int64_t ns = a[0].ns();
  return Value::Int(ns / kUnitNs - (ns % kUnitNs < 0 ? 1 : 0));
}

template <auto kPart>
Value PartOf(Evaluation&, const Arguments& a) {
  return Value::Int(static_cast<int64_t>(DateOf(a[0].ns(), a[0].utc_offset_s()).*kPart));
}

template <int64_t kUnitNs>
Value Whole(Evaluation&, const Arguments& a) {
  return Value::Int(a[0].ns() / kUnitNs);
}

// As Go's Duration.Hours: the whole units, and the rest as a fraction.
template <int64_t kUnitNs>
Value Fractional(Evaluation&, const Arguments& a) {
  const int64_t whole = a[0].ns() / kUnitNs;
  const int64_t rest_ns = a[0].ns() % kUnitNs;
  return Value::Double(static_cast<double>(whole) + static_cast<double>(rest_ns) / static_cast<double>(kUnitNs));
}

constexpr Function kFunctions[] = {
    {.name = "Now", .call = Now, .is_pure = false},
    {"Duration", {Parameter{"duration", Type::kString}}, Duration},
    {"Time",
     {Parameter{"time", Type::kString}, Parameter{"format", Type::kStringLiteral},
      Parameter{"location", Type::kStringLiteral, true}, Parameter{"locale", Type::kStringLiteral, true}},
     ParsedAs,
     PrepareTime,
     1 << 1 | 1 << 2 | 1 << 3},
    {"FormatTime", {kTime, Parameter{"format", Type::kStringLiteral}}, Formatted, PrepareFormatTime, 1 << 1},
    {"Unix", {Parameter{"seconds", Type::kInt}, Parameter{"nanoseconds", Type::kInt, true}}, Unix},
    {"TruncateTime", {kTime, kDuration}, TruncateTime},
    {"UnixSeconds", {kTime}, UnixIn<kSecondNs>},
    {"UnixMilli", {kTime}, UnixIn<kSecondNs / 1000>},
    {"UnixMicro", {kTime}, UnixIn<1000>},
    {"UnixNano", {kTime}, UnixIn<1>},
    {"Year", {kTime}, PartOf<&Date::year>},
    {"Month", {kTime}, PartOf<&Date::month>},
    {"Day", {kTime}, PartOf<&Date::day>},
    {"Weekday", {kTime}, PartOf<&Date::weekday>},
    {"Hour", {kTime}, PartOf<&Date::hour>},
    {"Minute", {kTime}, PartOf<&Date::minute>},
    {"Second", {kTime}, PartOf<&Date::second>},
    {"Nanosecond", {kTime}, PartOf<&Date::nanosecond>},
    {"Nanoseconds", {kDuration}, Whole<1>},
    {"Microseconds", {kDuration}, Whole<1000>},
    {"Milliseconds", {kDuration}, Whole<kSecondNs / 1000>},
    {"Seconds", {kDuration}, Fractional<kSecondNs>},
    {"Minutes", {kDuration}, Fractional<60 * kSecondNs>},
    {"Hours", {kDuration}, Fractional<3600 * kSecondNs>},
};

}  // namespace

std::span<const Function> TimeConverters() {
  return kFunctions;
}

}  // namespace spanloom::ottl
