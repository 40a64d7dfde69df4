// SPDX-License-Identifier: Apache-2.0
//
// + - * / of values.

#pragma once

#include "ottl/evaluation.h"
#include "ottl/value.h"

namespace spanloom::ottl {

// The Collector's rules (pkg/ottl/math.go): integers wrap around and are divided towards zero, a double makes the other
// side one; times and durations are added and subtracted. Fails on a division by zero and on other kinds.
[[nodiscard]] Value Calculate(Evaluation& evaluation, const Value& a, char op, const Value& b);
[[nodiscard]] Value Negate(Evaluation& evaluation, const Value& value);

}  // namespace spanloom::ottl
