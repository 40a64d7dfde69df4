// SPDX-License-Identifier: Apache-2.0

#include "ottl/arithmetic.h"

#include <cstdint>
#include <limits>

#include "base/text.h"

namespace spanloom::ottl {
namespace {

using Kind = Value::Kind;

// Two's complement, as Go has it.
int64_t Wrapped(uint64_t value) {
  return static_cast<int64_t>(value);
}
int64_t Plus(int64_t a, int64_t b) {
  return Wrapped(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
int64_t Minus(int64_t a, int64_t b) {
  return Wrapped(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}

Value DivideByZero(Evaluation& e) {
  return e.Fail("attempted to divide by 0");
}

Value CalculateInts(Evaluation& e, int64_t a, char op, int64_t b) {
  switch (op) {
    case '+':
      return Value::Int(Plus(a, b));
    case '-':
      return Value::Int(Minus(a, b));
    case '*':
      return Value::Int(Wrapped(static_cast<uint64_t>(a) * static_cast<uint64_t>(b)));
    default:
      if (b == 0) return DivideByZero(e);
      return Value::Int(b == -1 ? Minus(0, a) : a / b);
  }
}

Value CalculateDoubles(Evaluation& e, double a, char op, double b) {
  switch (op) {
    case '+':
      return Value::Double(a + b);
    case '-':
      return Value::Double(a - b);
    case '*':
      return Value::Double(a * b);
    default:
      return b == 0 ? DivideByZero(e) : Value::Double(a / b);
  }
}

// Go's time.Time.Sub: the largest duration there is, or the smallest, in place of one that is beyond it.
Value Between(int64_t later_ns, int64_t earlier_ns) {
  int64_t ns = 0;
  if (!__builtin_sub_overflow(later_ns, earlier_ns, &ns)) return Value::Duration(ns);
  return Value::Duration(later_ns < earlier_ns ? std::numeric_limits<int64_t>::min()
                                               : std::numeric_limits<int64_t>::max());
}

// Go's times reach further than the years 1677 to 2262 that 64 bits of nanoseconds hold: such a time is a failure here,
// as it is for Unix().
Value Moved(Evaluation& e, const Value& time, char op, int64_t duration_ns) {
  int64_t ns = 0;
  const bool overflows = op == '+' ? __builtin_add_overflow(time.ns(), duration_ns, &ns)
                                   : __builtin_sub_overflow(time.ns(), duration_ns, &ns);
  return overflows ? e.Fail("the time is out of range") : Value::Time(ns, time.utc_offset_s());
}

// At least one is a time or a duration.
Value CalculateTimes(Evaluation& e, const Value& a, char op, const Value& b) {
  const bool is_sum = op == '+';
  if (!is_sum && op != '-') return e.Fail("only addition and subtraction supported for time.Time and time.Duration");
  if (a.is(Kind::kDuration) && b.is(Kind::kDuration)) {
    return Value::Duration(is_sum ? Plus(a.ns(), b.ns()) : Minus(a.ns(), b.ns()));
  }
  if (a.is(Kind::kTime) && b.is(Kind::kDuration)) return Moved(e, a, op, b.ns());
  if (a.is(Kind::kTime) && b.is(Kind::kTime) && !is_sum) return Between(a.ns(), b.ns());
  if (a.is(Kind::kDuration) && b.is(Kind::kTime) && is_sum) return Moved(e, b, op, a.ns());
  return e.Fail(StrCat(a.type_name(), is_sum ? " cannot be added to " : " cannot be subtracted by ", b.type_name()));
}

bool IsNumber(const Value& value) {
  return value.is(Kind::kInt) || value.is(Kind::kDouble);
}

double ToDouble(const Value& value) {
  return value.is(Kind::kInt) ? static_cast<double>(value.int_value()) : value.double_value();
}

}  // namespace

Value Calculate(Evaluation& e, const Value& a, char op, const Value& b) {
  if (a.is(Kind::kInt) && b.is(Kind::kInt)) return CalculateInts(e, a.int_value(), op, b.int_value());
  if (IsNumber(a)) {
    if (!IsNumber(b)) return e.Fail(StrCat("a ", b.type_name(), " must be int64 or float64"));
    return CalculateDoubles(e, ToDouble(a), op, ToDouble(b));
  }
  if (a.is(Kind::kTime) || a.is(Kind::kDuration)) return CalculateTimes(e, a, op, b);
  return e.Fail(StrCat("a ", a.type_name(), " must be int64, float64, time.Time or time.Duration"));
}

Value Negate(Evaluation& e, const Value& value) {
  if (value.is(Kind::kInt)) return Value::Int(Minus(0, value.int_value()));
  if (value.is(Kind::kDouble)) return Value::Double(-value.double_value());
  return e.Fail(StrCat("unsupported unary minus operation on type ", value.type_name()));
}

}  // namespace spanloom::ottl
