// SPDX-License-Identifier: Apache-2.0
//
// JSON as values.

#pragma once

#include <string_view>

#include "base/status.h"
#include "ottl/arena.h"
#include "ottl/value.h"

namespace spanloom::ottl {

// The value of a JSON text, in `arena`; numbers are doubles, as in the Collector. kInvalidArgument says what is wrong,
// also of texts that nest more than 64 deep. Keys that stand twice count once, the last one.
[[nodiscard]] StatusOr<Value> ParseJsonValue(std::string_view json, Arena& arena);

}  // namespace spanloom::ottl
