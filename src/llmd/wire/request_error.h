// SPDX-License-Identifier: Apache-2.0
//
// Errors of a request's fields as vLLM tells them: those of its form are its web framework's, and name the place in the
// body; those of a value are its own, and name the parameter. Both are kInvalidArgument.

#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace spanloom::llmd::wire {

// The field `key` is not what it is to be, in the framework's words: "Input should be a valid string".
Status WrongForm(std::string_view key, std::string_view what);

// Its value is none that can be: "top_p must be in (0, 1], got 2.".
Status WrongValue(std::string_view key, std::string_view what);

// What an answer says of either: the type, and the parameter or place, "" if the error is another.
[[nodiscard]] std::string ErrorTypeOf(const Status& status);
[[nodiscard]] std::string ErrorParamOf(const Status& status);

}  // namespace spanloom::llmd::wire
