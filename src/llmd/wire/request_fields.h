// SPDX-License-Identifier: Apache-2.0
//
// Fields of the JSON body of a request, read as vLLM reads them: what is null is not there, and what has another type
// than it should is refused in the words of vLLM's web framework. For sources of this folder.

#pragma once

#include <simdjson.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "kube/json.h"
#include "llmd/wire/block_hash.h"
#include "llmd/wire/request_error.h"

namespace spanloom::llmd::wire {

using simdjson::dom::element;

// The object that `body` is; it lives until the thread's next call.
StatusOr<element> ReadBody(std::string_view body);

// The member `key` of `object` if it is there and not null.
[[nodiscard]] std::optional<element> FindField(const element& object, std::string_view key);

// `key` is not in `object`, where it has to be.
Status MissingField(const element& object, std::string_view key);

// `value`, which stands at `key`, should be what the framework's error of `type` says: "string_type", "list_type",
// "int_type", "float_type", "bool_type", "dict_type".
Status WrongType(std::string_view key, const element& value, std::string_view type);
[[nodiscard]] FormError TypeError(std::string_view key, const element& value, std::string_view type);

Status ReadBool(const element& object, std::string_view key, bool& target);
Status ReadText(const element& object, std::string_view key, std::string& target);

// An integer in a range. What is outside is told as the value of a parameter, or with `is_named` false as one of none.
struct IntRange {
  int64_t min = std::numeric_limits<int64_t>::min();
  int64_t max = std::numeric_limits<int64_t>::max();
  bool is_named = true;
};
Status ReadInt(const element& object, std::string_view key, std::optional<int64_t>& target, const IntRange& range = {});

// A number that `is_allowed`, as `rule` says in words: "in (0, 1]".
Status ReadNumber(const element& object, std::string_view key, double& target, bool is_allowed(double),
                  std::string_view rule);

}  // namespace spanloom::llmd::wire
