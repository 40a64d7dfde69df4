// SPDX-License-Identifier: Apache-2.0

#include "base/shortest_double.h"

#include <charconv>
#include <cstddef>
#include <limits>
#include <string_view>
#include <utility>

namespace spanloom {
namespace {

// Numbers below 10 to the first power, and from the second on, are written with an exponent.
std::pair<int, int> ExponentLimits(DoubleForm form) {
  switch (form) {
    case DoubleForm::kJson:
      return {-6, 21};
    case DoubleForm::kPlain:
      return {std::numeric_limits<int>::min(), std::numeric_limits<int>::max()};
    case DoubleForm::kGeneral:
      break;
  }
  return {-4, 6};
}

}  // namespace

void AppendShortest(double value, DoubleForm form, std::string& out) {
  char text[32];  // 24 is the longest: -1.2345678901234567e-308
  const auto end = std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific).ptr;
  const std::string_view number(text, static_cast<size_t>(end - text));
  const size_t exponent_at = number.find('e');
  int exponent = 0;
  std::from_chars(text + exponent_at + 2, end, exponent);
  if (number[exponent_at + 1] == '-') exponent = -exponent;
  const auto [below, from] = ExponentLimits(form);
  if (exponent < below || exponent >= from) return void(out += number);
  const bool is_negative = number[0] == '-';
  if (is_negative) out += '-';
  std::string digits;
  for (const char c : number.substr(is_negative ? 1 : 0, exponent_at - (is_negative ? 1 : 0))) {
    if (c != '.') digits += c;
  }
  const auto whole = static_cast<size_t>(exponent < 0 ? 0 : exponent + 1);  // digits in front of the point
  if (exponent < 0) {
    out += "0.";
    out.append(static_cast<size_t>(-exponent - 1), '0');
    out += digits;
  } else if (digits.size() <= whole) {
    out += digits;
    out.append(whole - digits.size(), '0');
  } else {
    out.append(digits, 0, whole);
    out += '.';
    out.append(digits, whole);
  }
}

}  // namespace spanloom
