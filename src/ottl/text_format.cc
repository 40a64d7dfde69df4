// SPDX-License-Identifier: Apache-2.0

#include "ottl/text_format.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "base/json_writer.h"
#include "base/text.h"

namespace spanloom::ottl {
namespace {

using Kind = Value::Kind;

void WriteJson(const Value& value, JsonWriter& writer) {
  Arena arena;
  switch (value.kind()) {
    case Kind::kBool:
      return writer.Bool(value.bool_value());
    case Kind::kInt:
      return writer.Int(value.int_value());
    case Kind::kDouble:
      return writer.Double(value.double_value());
    case Kind::kString:
      return writer.String(value.text());
    case Kind::kBytes:
      return writer.Base64(value.text());
    case Kind::kTraceId:
    case Kind::kSpanId:
      return writer.Hex(value.text());
    case Kind::kList:
      writer.BeginArray();
      for (const Value& element : ElementsOf(value, arena)) WriteJson(element, writer);
      return writer.EndArray();
    case Kind::kMap: {
      const auto entries = EntriesOf(value, arena);
      std::vector<Entry> sorted(entries.begin(), entries.end());
      std::stable_sort(sorted.begin(), sorted.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
      writer.BeginObject();
      for (const Entry& entry : sorted) {
        writer.Key(entry.key);
        WriteJson(entry.value, writer);
      }
      return writer.EndObject();
    }
    default:
      return writer.Null();
  }
}

// `ns` of less than a second, in its largest unit.
std::string FormatFraction(uint64_t ns) {
  const auto in_unit = [ns](double unit, std::string_view name) {
    return StrCat(FormatDouble(static_cast<double>(ns) / unit), name);
  };
  if (ns < 1'000) return StrCat(ns, "ns");
  return ns < 1'000'000 ? in_unit(1e3, "µs") : in_unit(1e6, "ms");
}

}  // namespace

std::string FormatDouble(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 400> text;  // the smallest double has 325 digits behind the point
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  return {text.data(), end};
}

std::string FormatDuration(int64_t ns) {
  constexpr uint64_t kSecond = 1'000'000'000;
  if (ns == 0) return "0s";
  const uint64_t total = ns < 0 ? ~static_cast<uint64_t>(ns) + 1 : static_cast<uint64_t>(ns);
  const std::string sign = ns < 0 ? "-" : "";
  if (total < kSecond) return sign + FormatFraction(total);
  const uint64_t seconds = total / kSecond;
  std::string fraction;
  if (total % kSecond != 0) {
    fraction = absl::StrFormat(".%09d", total % kSecond);
    fraction.erase(fraction.find_last_not_of('0') + 1);
  }
  std::string text = sign;
  if (seconds >= 3600) StrAppend(text, seconds / 3600, "h");
  if (seconds >= 60) StrAppend(text, seconds / 60 % 60, "m");
  StrAppend(text, seconds % 60, fraction, "s");
  return text;
}

std::string FormatJson(const Value& value) {
  std::string json;
  JsonWriter writer(json);
  WriteJson(value, writer);
  return json;
}

std::optional<std::string_view> LikeString(Evaluation& e, const Value& value) {
  switch (value.kind()) {
    case Kind::kString:
      return value.text();
    case Kind::kBool:
      return value.bool_value() ? "true" : "false";
    case Kind::kInt:
      return e.arena().Copy(StrCat(value.int_value()));
    case Kind::kDouble:
      return e.arena().Copy(FormatDouble(value.double_value()));
    case Kind::kBytes:
    case Kind::kTraceId:
    case Kind::kSpanId:
      return e.arena().Copy(absl::BytesToHexString(AbslView(value.text())));
    case Kind::kList:
    case Kind::kMap:
      return e.arena().Copy(FormatJson(value));
    case Kind::kTime:
    case Kind::kDuration:
    case Kind::kNil:
    case Kind::kMessages:
      break;
  }
  return std::nullopt;
}

std::optional<double> LikeDouble(const Value& value) {
  switch (value.kind()) {
    case Kind::kDouble:
      return value.double_value();
    case Kind::kInt:
      return static_cast<double>(value.int_value());
    case Kind::kBool:
      return value.bool_value() ? 1 : 0;
    case Kind::kString:
      return ParseDouble(value.text());
    default:
      return std::nullopt;
  }
}

std::optional<double> ParseDouble(std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('+') ? 1 : 0);  // from_chars takes no "+"
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::optional<int64_t> ParseInteger(std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('+') ? 1 : 0);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace spanloom::ottl
