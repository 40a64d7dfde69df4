// SPDX-License-Identifier: Apache-2.0
//
// The `tag` and `tags` parameters of Jaeger's search as conditions of a query.

#pragma once

#include <string_view>

#include "base/status.h"
#include "store/span_store.h"

namespace spanloom::query::jaeger {

// "key:value", split at the first colon. kInvalidArgument if there is none.
StatusOr<store::AttributeCondition> ParseTag(std::string_view text);

// A JSON object: {"key": "value"}, values may also be numbers and bools. kInvalidArgument if it is anything else.
StatusOr<std::vector<store::AttributeCondition>> ParseTags(std::string_view json);

}  // namespace spanloom::query::jaeger
