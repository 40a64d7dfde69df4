// SPDX-License-Identifier: Apache-2.0
//
// The `tag` and `tags` parameters of Jaeger's search as conditions: the key, anywhere, has the value as its text.

#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "store/predicate.h"

namespace spanloom::query::jaeger {

// "key:value", split at the first colon. kInvalidArgument if there is none.
StatusOr<store::Condition> ParseTag(std::string_view text);

// A JSON object: {"key": "value"}, values may also be numbers and bools. kInvalidArgument if it is anything else.
StatusOr<std::vector<store::Condition>> ParseTags(std::string_view json);

}  // namespace spanloom::query::jaeger
