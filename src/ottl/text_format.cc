// SPDX-License-Identifier: Apache-2.0

#include "ottl/text_format.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_replace.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "base/json_writer.h"
#include "base/shortest_double.h"
#include "base/text.h"
#include "ottl/calendar.h"

namespace spanloom::ottl {
namespace {

using Kind = Value::Kind;

// Whether "<", ">" and "&" in texts are escaped, as encoding/json does for the sake of HTML unless it is told not to.
enum class HtmlEscapes : uint8_t { kNo, kYes };

// Writes values as JSON.
class JsonValue {
 public:
  JsonValue(JsonWriter& writer, HtmlEscapes escapes) : writer_(writer), escapes_(escapes) {}

  // False if there is a double in `value` that JSON has no word for.
  bool Write(const Value& value) {
    switch (value.kind()) {
      case Kind::kBool:
        writer_.Bool(value.bool_value());
        return true;
      case Kind::kInt:
      case Kind::kDuration:
        writer_.Int(value.int_value());
        return true;
      case Kind::kDouble: {
        const std::string text = FormatJsonDouble(value.double_value());
        writer_.Raw(text.empty() ? "null" : text);
        return !text.empty();
      }
      case Kind::kString:
        writer_.Raw(Quoted(value.text()));
        return true;
      case Kind::kBytes:
        writer_.Base64(value.text());
        return true;
      case Kind::kTraceId:
      case Kind::kSpanId:
        WriteBytes(value.text());
        return true;
      case Kind::kTime:
        writer_.String(FormatRfc3339(value.ns(), value.utc_offset_s()));
        return true;
      case Kind::kList:
        return WriteList(value);
      case Kind::kMap:
        return WriteMap(value);
      case Kind::kMessages:
        writer_.BeginObject();
        writer_.EndObject();
        return true;
      case Kind::kNil:
        writer_.Null();
        return true;
    }
    return false;
  }

 private:
  [[nodiscard]] std::string Quoted(std::string_view text) const {
    std::string quoted = "\"";
    AppendJsonEscaped(text, quoted);
    if (escapes_ == HtmlEscapes::kYes) {
      quoted = absl::StrReplaceAll(quoted, {{"<", "\\u003c"}, {">", "\\u003e"}, {"&", "\\u0026"}});
    }
    return quoted + "\"";
  }

  void WriteBytes(std::string_view bytes) {
    writer_.BeginArray();
    for (const char byte : bytes) writer_.Uint(static_cast<uint8_t>(byte));
    writer_.EndArray();
  }

  bool WriteList(const Value& list) {
    Arena arena;
    bool is_written = true;
    writer_.BeginArray();
    for (const Value& element : ElementsOf(list, arena)) is_written = Write(element) && is_written;
    writer_.EndArray();
    return is_written;
  }

  bool WriteMap(const Value& map) {
    Arena arena;
    const auto entries = EntriesOf(map, arena);
    std::vector<Entry> sorted(entries.begin(), entries.end());
    std::stable_sort(sorted.begin(), sorted.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
    bool is_written = true;
    writer_.BeginObject();
    for (const Entry& entry : sorted) {
      writer_.Key(entry.key);
      is_written = Write(entry.value) && is_written;
    }
    writer_.EndObject();
    return is_written;
  }

  JsonWriter& writer_;
  const HtmlEscapes escapes_;
};

// nullopt if JSON has no word for a double in it.
std::optional<std::string> AsJson(const Value& value, HtmlEscapes escapes) {
  std::string json;
  JsonWriter writer(json);
  return JsonValue(writer, escapes).Write(value) ? std::optional(std::move(json)) : std::nullopt;
}

// `ns` of less than a second, in its largest unit.
std::string FormatFraction(uint64_t ns) {
  const auto in_unit = [ns](double unit, std::string_view name) {
    return StrCat(FormatDouble(static_cast<double>(ns) / unit), name);
  };
  if (ns < 1'000) return StrCat(ns, "ns");
  return ns < 1'000'000 ? in_unit(1e3, "µs") : in_unit(1e6, "ms");
}

bool HasUnderscoresBetweenDigits(std::string_view text) {
  const auto is_digit = [text](size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
  for (size_t at = text.find('_'); at != std::string_view::npos; at = text.find('_', at + 1)) {
    if (at == 0 || !is_digit(at - 1) || !is_digit(at + 1)) return false;
  }
  return true;
}

}  // namespace

std::string FormatDouble(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::string text;
  AppendShortest(value, DoubleForm::kPlain, text);
  return text;
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
  static_cast<void>(JsonValue(writer, HtmlEscapes::kYes).Write(value));
  return json;
}

std::string FormatJsonDouble(double value) {
  std::string text;
  if (std::isfinite(value)) AppendShortest(value, DoubleForm::kJson, text);
  return text;
}

std::string FormatPlainDouble(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  std::string text = FormatJsonDouble(value);
  if (const size_t padding = text.find("e-0"); padding != std::string::npos) text.erase(padding + 2, 1);
  return text;
}

std::optional<std::string_view> LikeString(Evaluation& e, const Value& value) {
  if (value.is_nil()) return std::nullopt;
  if (value.is(Kind::kString)) return value.text();
  if (value.is(Kind::kBytes)) return e.arena().Copy(absl::BytesToHexString(AbslView(value.text())));
  const auto json = AsJson(value, HtmlEscapes::kYes);
  return json ? std::optional(e.arena().Copy(std::string_view(*json))) : std::nullopt;
}

std::string_view AttributeText(Evaluation& e, const Value& value) {
  if (value.is(Kind::kBytes)) return e.arena().Copy(std::string_view(absl::Base64Escape(AbslView(value.text()))));
  if (value.is(Kind::kDouble)) return e.arena().Copy(std::string_view(FormatPlainDouble(value.double_value())));
  if (value.is(Kind::kList) || value.is(Kind::kMap)) {
    return e.arena().Copy(std::string_view(AsJson(value, HtmlEscapes::kNo).value_or("")));
  }
  return LikeString(e, value).value_or("");
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
  std::string_view digits = text.substr(text.starts_with('+') ? 1 : 0);  // from_chars takes no "+"
  std::string plain;
  if (digits.find('_') != std::string_view::npos) {
    if (!HasUnderscoresBetweenDigits(digits)) return std::nullopt;
    plain = absl::StrReplaceAll(AbslView(digits), {{"_", ""}});
    digits = plain;
  }
  if (digits.starts_with('+') || (digits.size() != text.size() && digits.starts_with('-'))) return std::nullopt;
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

std::optional<bool> ParseBool(std::string_view text) {
  for (const std::string_view word : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == word) return true;
  }
  for (const std::string_view word : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == word) return false;
  }
  return std::nullopt;
}

int64_t TruncateDouble(double value) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  return value >= -kLimit && value < kLimit ? static_cast<int64_t>(value) : INT64_MIN;
}

}  // namespace spanloom::ottl
