// SPDX-License-Identifier: Apache-2.0
//
// Values as Python writes them into vLLM's messages of errors, and what its reader of JSON says of a text that is none.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace simdjson::dom {
class element;
}  // namespace simdjson::dom

namespace spanloom::llmd::wire {

// 'text', or "text" if it has an apostrophe and no quotation mark.
[[nodiscard]] std::string PythonQuoted(std::string_view text);

// The shortest text of a float, which always shows that it is one: "2.0", "0.5", "1e+16".
[[nodiscard]] std::string PythonFloat(double value);

// A value as an error tells what it was given: texts and numbers as they are, "None", "True", "<list of 2 items>",
// "<dict of 1 items>".
[[nodiscard]] std::string PythonInput(const simdjson::dom::element& value);

// The first mistake in a text that is no JSON.
struct JsonMistake {
  std::string_view what = {};  // "Expecting value"
  size_t at = 0;               // bytes from the begin
};

// Where Python's reader would stop. For texts that simdjson refuses; one that has no mistake is said to end too late.
[[nodiscard]] JsonMistake FindJsonMistake(std::string_view text);

}  // namespace spanloom::llmd::wire
