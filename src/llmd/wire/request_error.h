// SPDX-License-Identifier: Apache-2.0
//
// Errors of a request's fields as vLLM tells them: those of its form are its web framework's, and name the place in the
// body; those of a value are its own, and may name the parameter. All are kInvalidArgument.

#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace spanloom::llmd::wire {

// One thing that the framework finds wrong.
struct FormError {
  std::string type = {};   // "missing", "string_type", ...
  std::string place = {};  // below the body: "messages", "prompt.0"; "": the body itself
  std::string what = {};   // "Field required"
  std::string input = {};  // what stood there, as Python writes it: "None", "<list of 2 items>"
  std::string extra = {};  // what else is told, as Python writes it: ", 'ctx': {'ge': 0}"
};

// All of `errors`, at least one; the place is that of the first.
Status WrongForm(std::span<const FormError> errors);
Status WrongForm(const FormError& error);

// The value of `key` is none that can be: "top_p must be in (0, 1], got 2.0.", and behind it the parameter, and its
// value unless that is "".
Status WrongValue(std::string_view key, std::string_view what, std::string_view value = "");

// The same in words that name no parameter.
Status WrongRequest(std::string_view what);

// The body is no text: what the framework answers in a form of its own, whose type is called kDetailType here.
inline constexpr std::string_view kDetailType = "detail";
Status WrongText();

// What an answer says of either: the type, and the parameter or place, "" if there is none.
[[nodiscard]] std::string ErrorTypeOf(const Status& status);
[[nodiscard]] std::string ErrorParamOf(const Status& status);

}  // namespace spanloom::llmd::wire
