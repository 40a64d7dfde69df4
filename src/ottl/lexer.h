// SPDX-License-Identifier: Apache-2.0
//
// OTTL text into tokens. Strings are in double quotes with Go's escapes; there are no comments.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "ottl/ast.h"

namespace spanloom::ottl {

struct Token {
  enum class Kind : uint8_t {
    kEnd,
    kName,         // begins with a lower-case letter: path segments, editors, and the words and, or, not, true, ...
    kSymbol,       // begins with an upper-case letter: enums and converters
    kString,       // its `value` is the string
    kBytes,        // `0x0102`; its `value` is the bytes
    kInt,          // digits; a sign is punctuation of its own
    kFloat,        // digits with a point, perhaps an exponent
    kPunctuation,  // operators, brackets, "." and ","
  };

  Kind kind = Kind::kEnd;
  std::string_view text;  // as written; a view of the lexed text
  size_t offset = 0;      // bytes from the start of the text
  Literal value;          // of kString and kBytes
};

// The tokens of `text`, which they borrow; the last one is kEnd. kInvalidArgument names line and column of what is no
// token, of a string with a bad escape, and of bytes with an odd digit. O(text).
StatusOr<std::vector<Token>> Lex(std::string_view text);

// "line:column" of a byte, both from 1, columns in bytes.
std::string Position(std::string_view text, size_t offset);

// `text` in double quotes, escaped as Go's %q does, for an error message; cut after 1000 bytes.
std::string Quoted(std::string_view text);

}  // namespace spanloom::ottl
