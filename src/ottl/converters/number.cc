// SPDX-License-Identifier: Apache-2.0
//
// Converters that calculate, and those that make unique ids.

#include <absl/strings/str_format.h>
#include <absl/strings/str_replace.h>

#include <cmath>
#include <string>

#include "base/rng.h"
#include "base/text.h"
#include "ottl/function_table.h"

namespace spanloom::ottl {
namespace {

using Type = ParameterType;

Value Log(Evaluation& e, const Arguments& a) {
  if (!a.has(0)) return e.Fail("Log: target: expected a value that is a number but got nil");
  const double value = a[0].double_value();
  if (value <= 0) return e.Fail(StrCat("Log: log(", value, ") is not defined: the value must be greater than 0"));
  return Value::Double(std::log(value));
}

// https://en.wikipedia.org/wiki/Luhn_algorithm. Spaces are passed over.
Value IsValidLuhn(Evaluation& e, const Arguments& a) {
  if (!a.has(0)) return e.Fail("invalid input: <nil>");
  const std::string digits = absl::StrReplaceAll(AbslView(a[0].text()), {{" ", ""}});
  if (digits.empty()) return Value::Bool(false);
  if (digits.find_first_not_of("0123456789") != std::string::npos) {
    return e.Fail("IsValidLuhn: the target must consist of digits");
  }
  int sum = 0;
  bool is_doubled = false;
  for (auto it = digits.rbegin(); it != digits.rend(); ++it, is_doubled = !is_doubled) {
    const int digit = (*it - '0') * (is_doubled ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return Value::Bool(sum % 10 == 0);
}

// RFC 9562: `high` and `low` with the version and variant put in.
Value Uuid(Evaluation& e, uint64_t high, uint64_t low, uint64_t version) {
  high = (high & ~uint64_t{0xf000}) | version << 12;
  low = (low & ~(uint64_t{3} << 62)) | uint64_t{2} << 62;
  return e.NewString(absl::StrFormat("%08x-%04x-%04x-%04x-%012x", high >> 32, high >> 16 & 0xffff, high & 0xffff,
                                     low >> 48, low & 0xffffffffffff));
}

Rng& ThreadRng() {
  thread_local Rng rng(Rng::SystemSeed());
  return rng;
}

Value UuidV4(Evaluation& e, const Arguments&) {
  Rng& rng = ThreadRng();
  const uint64_t high = rng.Next();
  return Uuid(e, high, rng.Next(), 4);
}

Value UuidV7(Evaluation& e, const Arguments&) {
  Rng& rng = ThreadRng();
  const auto unix_ms = static_cast<uint64_t>(e.clock().UnixNs() / 1'000'000);
  const uint64_t high = unix_ms << 16 | (rng.Next() & 0xffff);
  return Uuid(e, high, rng.Next(), 7);
}

constexpr Function kFunctions[] = {
    {"Log", {Parameter{"target", Type::kDoubleLike}}, Log},
    {"IsValidLuhn", {Parameter{"target", Type::kStringLike}}, IsValidLuhn},
    {.name = "UUID", .call = UuidV4, .is_pure = false},
    {.name = "UUIDv7", .call = UuidV7, .is_pure = false},
};

}  // namespace

std::span<const Function> NumberConverters() {
  return kFunctions;
}

}  // namespace spanloom::ottl
