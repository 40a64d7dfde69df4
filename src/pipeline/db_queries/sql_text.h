// SPDX-License-Identifier: Apache-2.0
//
// SQL without its values: for the redaction processor. Not a parser: it knows where literals, comments and names begin
// and end in the dialects of the databases that traces come from.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace spanloom::pipeline {

// Where databases differ in what a literal is.
struct SqlDialect {
  enum class Backslash : uint8_t {
    kPlain,     // a character as any other, but in E'...'
    kEscapes,   // takes the next character with it
    kNotKnown,  // a quote behind one makes all that follows it a literal
  };
  Backslash backslash = Backslash::kNotKnown;
  bool has_double_quoted_strings = true;  // else "x" is a name
  bool has_hash_comments = true;
  bool has_nested_comments = false;
  bool has_bracketed_names = false;
  bool has_dollar_quotes = true;

  // That of a database by its db.system.name or db.system, in lower case. Of one that is not known, and of "", the one
  // that takes the most for a literal.
  static SqlDialect Of(std::string_view system);
};

// True for the databases whose queries are SQL, by the name in lower case.
[[nodiscard]] bool IsSqlSystem(std::string_view system);

// True if `text` begins with a word that begins statements, SET left out.
[[nodiscard]] bool LooksLikeSql(std::string_view text);

// `sql` with a ? for each literal (texts, numbers, true, false, null, $1), for what comments say, and for each run of
// digits in a name; without space at its ends. Never longer than `sql`. Takes any bytes; what is not closed reaches to
// the end. Time is linear.
[[nodiscard]] std::string MaskSqlLiterals(std::string_view sql, const SqlDialect& dialect);

}  // namespace spanloom::pipeline
