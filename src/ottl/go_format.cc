// SPDX-License-Identifier: Apache-2.0

#include "ottl/go_format.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "base/text.h"
#include "ottl/calendar.h"
#include "ottl/lexer.h"
#include "ottl/text_format.h"
#include "ottl/utf8.h"

namespace spanloom::ottl {
namespace {

using Kind = Value::Kind;

constexpr int kWidthMax = 1000;  // guess; a text must not become as long as its format likes

// A "%..." of a format.
struct Directive {
  bool plus = false;
  bool minus = false;
  bool sharp = false;
  bool space = false;
  bool zero = false;
  std::optional<int> width = std::nullopt;
  std::optional<int> precision = std::nullopt;
  char verb = 0;
};

// strconv.FormatFloat(value, 'g', -1, 64): the shortest digits, with an exponent below 1e-4 and from 1e6 on.
std::string FormatGeneral(double value) {
  if (std::isnan(value) || std::isinf(value)) return FormatDouble(value);
  if (value == 0) return std::signbit(value) ? "-0" : "0";
  std::array<char, 40> buffer;
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  const std::string text(buffer.data(), end);
  const auto exponent = ParseInteger(text.substr(text.find('e') + 1)).value_or(0);
  return exponent >= -4 && exponent < 6 ? FormatDouble(value) : text;
}

std::string Padded(std::string text, const Directive& d, bool is_number) {
  const auto width = static_cast<size_t>(d.width.value_or(0));
  size_t count = 0;  // characters
  for (const char c : text) count += IsUtf8Continuation(c) ? 0 : 1;
  if (count >= width) return text;
  const size_t missing = width - count;
  if (d.minus) return text + std::string(missing, ' ');
  if (!d.zero || !is_number) return std::string(missing, ' ') + text;
  const bool has_sign = text.starts_with('-') || text.starts_with('+') || text.starts_with(' ');
  return text.substr(0, has_sign ? 1 : 0) + std::string(missing, '0') + text.substr(has_sign ? 1 : 0);
}

std::string Signed(std::string text, const Directive& d) {
  if (text.starts_with('-') || text.starts_with('+')) return text;
  return d.plus ? "+" + text : d.space ? " " + text : text;
}

std::string Digits(uint64_t value, int base, bool is_upper) {
  std::array<char, 64> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value, base);
  std::string digits(text.data(), end);
  if (is_upper)
    std::transform(digits.begin(), digits.end(), digits.begin(),
                   [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  return digits;
}

std::string FormatCodePoint(int64_t value, const Directive& d) {
  std::string text = StrCat("U+", absl::StrFormat("%04X", static_cast<uint64_t>(value)));
  if (d.sharp && value >= 0x20 && value < 0x110000) {
    text += " '";
    AppendUtf8(text, static_cast<uint32_t>(value));
    text += "'";
  }
  return Padded(text, d, false);
}

std::optional<std::string> FormatInt(int64_t value, const Directive& d) {
  if (d.verb == 'U') return FormatCodePoint(value, d);
  constexpr std::string_view kVerbs = "dvboxXcq";
  constexpr std::array<int, 6> kBases = {10, 10, 2, 8, 16, 16};
  constexpr std::array<std::string_view, 6> kPrefixes = {"", "", "0b", "0", "0x", "0X"};
  const size_t verb = kVerbs.find(d.verb);
  if (verb == std::string_view::npos) return std::nullopt;
  if (verb >= kBases.size()) {
    std::string character;
    AppendUtf8(character, value >= 0 && value < 0x110000 ? static_cast<uint32_t>(value) : 0xfffd);
    return Padded(d.verb == 'q' ? "'" + character + "'" : character, d, false);
  }
  const uint64_t magnitude = value < 0 ? ~static_cast<uint64_t>(value) + 1 : static_cast<uint64_t>(value);
  std::string digits = Digits(magnitude, kBases[verb], d.verb == 'X');
  if (d.precision && digits.size() < static_cast<size_t>(*d.precision)) {
    digits.insert(0, static_cast<size_t>(*d.precision) - digits.size(), '0');
  }
  if (d.sharp) digits.insert(0, kPrefixes[verb]);
  Directive padding = d;
  padding.zero = d.zero && !d.precision;
  return Padded(Signed(value < 0 ? "-" + digits : digits, d), padding, true);
}

std::optional<std::string> FormatFloat(double value, const Directive& d) {
  std::string text;
  if (d.verb == 'v' || d.verb == 'g' || d.verb == 'G') {
    text = d.precision ? absl::StrFormat("%.*g", *d.precision, value) : FormatGeneral(value);
  } else if (d.verb == 'f' || d.verb == 'F') {
    text = absl::StrFormat("%.*f", d.precision.value_or(6), value);
  } else if (d.verb == 'e' || d.verb == 'E') {
    text = absl::StrFormat("%.*e", d.precision.value_or(6), value);
  } else {
    return std::nullopt;
  }
  if (std::isnan(value) || std::isinf(value)) text = FormatDouble(value);
  if (d.verb == 'E' || d.verb == 'G')
    std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c == 'e' ? 'E' : c; });
  if (std::isinf(value) && value > 0 && !d.plus) text = "+Inf";
  Directive padding = d;
  padding.zero = d.zero && std::isfinite(value);
  return Padded(Signed(text, d), padding, true);
}

std::optional<std::string> FormatText(std::string_view text, const Directive& d) {
  if (d.verb == 'x' || d.verb == 'X') {
    std::string hex = absl::BytesToHexString(AbslView(text));
    if (d.verb == 'X')
      std::transform(hex.begin(), hex.end(), hex.begin(),
                     [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
    return Padded(hex, d, false);
  }
  if (d.precision) {
    size_t end = 0;
    for (int i = 0; i < *d.precision && end < text.size(); ++i) end += Utf8Size(text.substr(end));
    text = text.substr(0, end);
  }
  if (d.verb == 's' || d.verb == 'v') return Padded(std::string(text), d, false);
  if (d.verb == 'q') return Padded(Quoted(text), d, false);
  return std::nullopt;
}

std::string_view GoType(const Value& value) {
  if (value.is(Kind::kNil)) return "<nil>";
  if (value.is(Kind::kList)) return "[]interface {}";
  return value.is(Kind::kMap) ? "map[string]interface {}" : value.type_name();
}

// nullopt if the verb is not for such a value.
std::optional<std::string> FormatOne(const Value& value, const Directive& d) {
  if (d.verb == 'T') return Padded(std::string(GoType(value)), d, false);
  switch (value.kind()) {
    case Kind::kInt:
      return FormatInt(value.int_value(), d);
    case Kind::kDouble:
      return FormatFloat(value.double_value(), d);
    case Kind::kBool:
      if (d.verb != 't' && d.verb != 'v') return std::nullopt;
      return Padded(value.bool_value() ? "true" : "false", d, false);
    case Kind::kString:
      return FormatText(value.text(), d);
    case Kind::kBytes:
      if (d.verb != 'v' && d.verb != 'd') return FormatText(value.text(), d);
      return Padded(FormatGo(value), d, false);
    case Kind::kNil:
      if (d.verb != 'v') return std::nullopt;
      return Padded("<nil>", d, false);
    case Kind::kTraceId:
    case Kind::kSpanId:
      return FormatText(absl::BytesToHexString(AbslView(value.text())), d);
    case Kind::kDuration:
      if (d.verb == 'd') return FormatInt(value.ns(), d);
      return FormatText(FormatGo(value), d);
    default:
      return FormatText(FormatGo(value), d);
  }
}

class Formatter {
 public:
  Formatter(std::string_view format, std::span<const Value> arguments) : rest_(format), arguments_(arguments) {}

  std::string Run() {
    while (!rest_.empty()) {
      const size_t percent = std::min(rest_.find('%'), rest_.size());
      out_ += rest_.substr(0, percent);
      rest_.remove_prefix(percent);
      if (!rest_.empty()) One();
    }
    Extra();
    return std::move(out_);
  }

 private:
  void One() {
    rest_.remove_prefix(1);
    Directive d = Flags();
    has_bad_index_ = false;
    Index();
    d.width = Number("%!(BADWIDTH)");
    if (d.width && *d.width < 0) {
      d.minus = true;
      d.width = -*d.width;
    }
    if (rest_.starts_with('.')) {
      rest_.remove_prefix(1);
      Index();
      d.precision = Number("%!(BADPREC)").value_or(0);
    }
    Index();
    if (rest_.empty()) {
      out_ += "%!(NOVERB)";
      return;
    }
    const std::string_view verb = rest_.substr(0, Utf8Size(rest_));
    rest_.remove_prefix(verb.size());
    d.verb = verb[0];
    if (verb == "v") d.plus = false;
    if (verb == "%") {
      out_ += "%";
    } else if (has_bad_index_) {
      StrAppend(out_, "%!", verb, "(BADINDEX)");
    } else if (next_ == arguments_.size()) {
      StrAppend(out_, "%!", verb, "(MISSING)");
    } else {
      Append(arguments_[next_++], d, verb);
    }
  }

  void Append(const Value& value, const Directive& d, std::string_view verb) {
    const auto text = verb.size() == 1 ? FormatOne(value, d) : std::nullopt;
    if (text) {
      out_ += *text;
    } else if (value.is_nil()) {
      StrAppend(out_, "%!", verb, "(<nil>)");
    } else {
      StrAppend(out_, "%!", verb, "(", GoType(value), "=", FormatGo(value), ")");
    }
  }

  Directive Flags() {
    Directive d;
    for (; !rest_.empty(); rest_.remove_prefix(1)) {
      switch (rest_[0]) {
        case '+':
          d.plus = true;
          break;
        case '-':
          d.minus = true;
          break;
        case '#':
          d.sharp = true;
          break;
        case ' ':
          d.space = true;
          break;
        case '0':
          d.zero = true;
          break;
        default:
          return d;
      }
    }
    return d;
  }

  // "[2]": the argument that comes next is the second.
  void Index() {
    if (!rest_.starts_with('[')) return;
    is_reordered_ = true;
    const size_t end = rest_.find(']');
    const auto number = end == std::string_view::npos ? std::nullopt : ParseInteger(rest_.substr(1, end - 1));
    rest_.remove_prefix(end == std::string_view::npos ? 1 : end + 1);
    has_bad_index_ = !number || *number < 1 || *number > static_cast<int64_t>(arguments_.size());
    if (!has_bad_index_) next_ = static_cast<size_t>(*number) - 1;
  }

  // Digits, or the value of an argument where there is a star; `bad` is written if that is no integer.
  std::optional<int> Number(std::string_view bad) {
    if (rest_.starts_with('*')) {
      rest_.remove_prefix(1);
      const bool is_there = next_ < arguments_.size();
      const Value value = is_there ? arguments_[next_++] : Value();
      if (value.is(Kind::kInt)) return static_cast<int>(std::clamp<int64_t>(value.int_value(), -kWidthMax, kWidthMax));
      out_ += bad;
      return std::nullopt;
    }
    std::optional<int> number;
    for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; rest_.remove_prefix(1)) {
      number = std::min(kWidthMax, number.value_or(0) * 10 + (rest_[0] - '0'));
    }
    return number;
  }

  void Extra() {
    if (next_ == arguments_.size() || is_reordered_) return;
    out_ += "%!(EXTRA ";
    for (size_t i = next_; i < arguments_.size(); ++i) {
      StrAppend(out_, i == next_ ? "" : ", ", GoType(arguments_[i]));
      if (!arguments_[i].is_nil()) StrAppend(out_, "=", FormatGo(arguments_[i]));
    }
    out_ += ")";
  }

  std::string_view rest_;
  std::span<const Value> arguments_;
  size_t next_ = 0;
  bool has_bad_index_ = false;  // of the directive
  bool is_reordered_ = false;
  std::string out_;
};

}  // namespace

std::string FormatGo(const Value& value) {
  Arena arena;
  std::string text;
  switch (value.kind()) {
    case Kind::kNil:
      return "<nil>";
    case Kind::kBool:
      return value.bool_value() ? "true" : "false";
    case Kind::kInt:
      return StrCat(value.int_value());
    case Kind::kDouble:
      return FormatGeneral(value.double_value());
    case Kind::kString:
      return std::string(value.text());
    case Kind::kBytes:
      for (const char c : value.text()) StrAppend(text, " ", static_cast<int>(static_cast<uint8_t>(c)));
      return "[" + text.substr(text.empty() ? 0 : 1) + "]";
    case Kind::kTraceId:
    case Kind::kSpanId:
      return absl::BytesToHexString(AbslView(value.text()));
    case Kind::kDuration:
      return FormatDuration(value.ns());
    case Kind::kTime:
      return FormatGoTime(value.ns(), value.utc_offset_s());
    case Kind::kList:
      for (const Value& element : ElementsOf(value, arena)) StrAppend(text, " ", FormatGo(element));
      return "[" + text.substr(text.empty() ? 0 : 1) + "]";
    case Kind::kMap: {
      const auto entries = EntriesOf(value, arena);
      std::vector<Entry> sorted(entries.begin(), entries.end());
      std::stable_sort(sorted.begin(), sorted.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
      for (const Entry& entry : sorted) StrAppend(text, " ", entry.key, ":", FormatGo(entry.value));
      return "map[" + text.substr(text.empty() ? 0 : 1) + "]";
    }
    case Kind::kMessages:
      break;
  }
  return "";
}

std::string SprintfGo(std::string_view format, std::span<const Value> arguments) {
  return Formatter(format, arguments).Run();
}

}  // namespace spanloom::ottl
