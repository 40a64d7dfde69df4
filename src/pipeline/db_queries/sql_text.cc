// SPDX-License-Identifier: Apache-2.0

#include "pipeline/db_queries/sql_text.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <utility>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

using Backslash = SqlDialect::Backslash;

struct System {
  std::string_view name;
  SqlDialect dialect;
};

constexpr SqlDialect kMySql = {.backslash = Backslash::kEscapes, .has_dollar_quotes = false};
constexpr SqlDialect kPostgres = {.backslash = Backslash::kPlain,
                                  .has_double_quoted_strings = false,
                                  .has_hash_comments = false,
                                  .has_nested_comments = true};
constexpr SqlDialect kStandard = {.backslash = Backslash::kPlain,
                                  .has_double_quoted_strings = false,
                                  .has_hash_comments = false,
                                  .has_dollar_quotes = false};
constexpr SqlDialect kSqlite = {.backslash = Backslash::kPlain,
                                .has_double_quoted_strings = false,
                                .has_hash_comments = false,
                                .has_bracketed_names = true,
                                .has_dollar_quotes = false};
constexpr SqlDialect kSqlServer = {.backslash = Backslash::kPlain,
                                   .has_double_quoted_strings = false,
                                   .has_hash_comments = false,
                                   .has_nested_comments = true,
                                   .has_bracketed_names = true,
                                   .has_dollar_quotes = false};
constexpr SqlDialect kClickHouse = {.backslash = Backslash::kEscapes, .has_double_quoted_strings = false};

// The names of OpenTelemetry's semantic conventions, those of db.system.name and of the older db.system.
constexpr System kSystems[] = {
    {"mysql", kMySql},           {"mariadb", kMySql},
    {"postgresql", kPostgres},   {"cockroachdb", kPostgres},
    {"aws.redshift", kPostgres}, {"redshift", kPostgres},
    {"sqlite", kSqlite},         {"microsoft.sql_server", kSqlServer},
    {"mssql", kSqlServer},       {"oracle.db", kStandard},
    {"oracle", kStandard},       {"ibm.db2", kStandard},
    {"db2", kStandard},          {"trino", kStandard},
    {"h2database", kStandard},   {"h2", kStandard},
    {"hsqldb", kStandard},       {"derby", kStandard},
    {"clickhouse", kClickHouse}, {"other_sql", {}},
};

const System* FindSystem(std::string_view name) {
  const auto* found = absl::c_find_if(kSystems, [name](const System& system) { return system.name == name; });
  return found == std::end(kSystems) ? nullptr : found;
}

bool IsDigit(char c) {
  return absl::ascii_isdigit(static_cast<unsigned char>(c));
}

bool IsSpace(char c) {
  return absl::ascii_isspace(static_cast<unsigned char>(c));
}

// Every character beyond ASCII counts as a letter.
bool IsNameStart(char c) {
  return absl::ascii_isalpha(static_cast<unsigned char>(c)) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

bool IsNamePart(char c) {
  return IsNameStart(c) || IsDigit(c) || c == '$';
}

bool IsOneOf(std::string_view word, std::initializer_list<std::string_view> words) {
  return absl::c_any_of(words,
                        [word](std::string_view one) { return absl::EqualsIgnoreCase(AbslView(word), AbslView(one)); });
}

class SqlMasker {
 public:
  SqlMasker(std::string_view sql, const SqlDialect& dialect) : rest_(sql), dialect_(dialect) {}

  std::string Run() && {
    while (!rest_.empty()) Next();
    return std::move(out_);
  }

 private:
  void Next() {
    const char c = rest_[0];
    if (IsSpace(c)) return Keep(1);
    if (IsNameStart(c)) return Word();
    if (IsDigit(c) || (c == '.' && rest_.size() > 1 && IsDigit(rest_[1]))) return Number();
    if (c == '\'') return Literal('\'', dialect_.backslash);
    if (c == '"' && dialect_.has_double_quoted_strings) return Literal('"', dialect_.backslash);
    if (c == '"' || c == '`') return QuotedName(c);
    if (c == '[' && dialect_.has_bracketed_names) return QuotedName(']');
    if (rest_.starts_with("--")) return LineComment(2);
    if (c == '#' && dialect_.has_hash_comments) return LineComment(1);
    if (rest_.starts_with("/*")) return BlockComment();
    if (c == '$') return Dollar();
    if ((c == '-' || c == '+') && IsSign()) return Drop(1);
    Keep(1);
    may_be_sign_ = c != ')' && c != ']' && c != '?';
  }

  void Keep(size_t bytes) {
    out_ += rest_.substr(0, bytes);
    Drop(bytes);
  }
  void Drop(size_t bytes) { rest_.remove_prefix(std::min(bytes, rest_.size())); }
  // What is masked is `bytes` long, at least one.
  void Mask(size_t bytes) {
    out_ += '?';
    Drop(bytes);
    may_be_sign_ = false;
  }

  // True if the sign that is next belongs to a number.
  [[nodiscard]] bool IsSign() const {
    const size_t digit = rest_.substr(1).starts_with('.') ? 2 : 1;
    return may_be_sign_ && digit < rest_.size() && IsDigit(rest_[digit]);
  }

  // A ? in it stands for digits that were masked before.
  void Word() {
    size_t size = 1;
    while (size < rest_.size() && (IsNamePart(rest_[size]) || rest_[size] == '?')) ++size;
    const std::string_view word = rest_.substr(0, size);
    const char next = size < rest_.size() ? rest_[size] : '\0';
    if (next == '\'' && Prefixed(word)) return;
    if (next == '&' && IsOneOf(word, {"u"}) && rest_.substr(size + 1).starts_with('\'')) {
      Drop(size + 1);
      return Literal('\'', Backslash::kPlain);
    }
    if (IsOneOf(word, {"true", "false", "null"})) return Mask(size);
    KeepWithoutDigits(size);
    may_be_sign_ = false;
  }

  // A literal whose opening quote follows `word`, which says of what kind it is.
  bool Prefixed(std::string_view word) {
    if (IsOneOf(word, {"q", "nq"})) {
      Drop(word.size());
      OracleQuote();
      return true;
    }
    if (!IsOneOf(word, {"e", "n", "b", "x"})) return false;
    Drop(word.size());
    Literal('\'', IsOneOf(word, {"e"}) ? Backslash::kEscapes : dialect_.backslash);
    return true;
  }

  // '[...]' behind a q: up to the same delimiter, or the closing one, with a quote behind it.
  void OracleQuote() {
    constexpr std::string_view kOpening = "[{(<";
    constexpr std::string_view kClosing = "]})>";
    if (rest_.size() < 2) return Mask(rest_.size());
    const size_t pair = kOpening.find(rest_[1]);
    const char end[] = {pair == std::string_view::npos ? rest_[1] : kClosing[pair], '\''};
    const size_t at = rest_.find(std::string_view(end, 2), 2);
    Mask(at == std::string_view::npos ? rest_.size() : at + 2);
  }

  void Number() {
    size_t size = 1;
    while (size < rest_.size()) {
      const char c = rest_[size];
      const bool is_exponent_sign = (c == '-' || c == '+') && (rest_[size - 1] == 'e' || rest_[size - 1] == 'E') &&
                                    !rest_.starts_with("0x") && !rest_.starts_with("0X");
      if (!IsNamePart(c) && c != '.' && !is_exponent_sign) break;
      ++size;
    }
    Mask(size);
  }

  // From the opening quote to the closing one; a doubled quote is a character of the text.
  void Literal(char quote, Backslash backslash) {
    size_t at = 1;
    while (at < rest_.size()) {
      if (rest_[at] == '\\' && backslash != Backslash::kPlain) {
        if (backslash == Backslash::kNotKnown && rest_.substr(at + 1).starts_with(quote)) break;
        at += 2;
        continue;
      }
      if (rest_[at] != quote) {
        ++at;
      } else if (rest_.substr(at + 1).starts_with(quote)) {
        at += 2;
      } else {
        return Mask(at + 1);
      }
    }
    Mask(rest_.size());
  }

  // A name up to `end`; one that is not closed is taken for a literal.
  void QuotedName(char end) {
    const size_t at = rest_.find(end, 1);
    if (at == std::string_view::npos) return Mask(rest_.size());
    KeepWithoutDigits(at + 1);
    may_be_sign_ = false;
  }

  void KeepWithoutDigits(size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) {
      if (!IsDigit(rest_[i])) {
        out_ += rest_[i];
      } else if (i == 0 || !IsDigit(rest_[i - 1])) {
        out_ += '?';
      }
    }
    Drop(bytes);
  }

  void LineComment(size_t mark_bytes) {
    const size_t end = std::min(rest_.find('\n'), rest_.size());
    const bool says_something = end > mark_bytes;
    Keep(mark_bytes);
    if (says_something) Mask(end - mark_bytes);
  }

  void BlockComment() {
    size_t at = 2;
    int depth = 1;
    while (depth > 0 && at < rest_.size()) {
      const std::string_view next = rest_.substr(at);
      const int change = next.starts_with("*/") ? -1 : (dialect_.has_nested_comments && next.starts_with("/*")) ? 1 : 0;
      depth += change;
      at += change == 0 ? 1 : 2;
    }
    at = std::min(at, rest_.size());
    const bool is_closed = depth == 0;
    const bool says_something = at > (is_closed ? 4u : 2u);
    if (!says_something) return Keep(at);
    out_ += is_closed ? "/*?*/" : "/*?";
    Drop(at);
  }

  // $1, $tag$...$tag$, or a character.
  void Dollar() {
    size_t size = 1;
    while (size < rest_.size() && IsNamePart(rest_[size]) && rest_[size] != '$') ++size;
    if (size > 1 && IsDigit(rest_[1])) return Mask(size);
    const bool opens = dialect_.has_dollar_quotes && size < rest_.size() && rest_[size] == '$';
    if (!opens) return Keep(1);
    const std::string_view tag = rest_.substr(0, size + 1);
    const size_t end = rest_.find(tag, tag.size());
    Mask(end == std::string_view::npos ? rest_.size() : end + tag.size());
  }

  std::string_view rest_;
  const SqlDialect& dialect_;
  std::string out_;
  bool may_be_sign_ = true;  // whether a + or - here is one of a number
};

}  // namespace

SqlDialect SqlDialect::Of(std::string_view system) {
  const System* found = FindSystem(system);
  return found == nullptr ? SqlDialect() : found->dialect;
}

bool IsSqlSystem(std::string_view system) {
  return FindSystem(system) != nullptr;
}

bool LooksLikeSql(std::string_view text) {
  const std::string_view trimmed = StdView(absl::StripLeadingAsciiWhitespace(AbslView(text)));
  size_t size = 0;
  while (size < trimmed.size() && IsNamePart(trimmed[size])) ++size;
  return IsOneOf(trimmed.substr(0, size), {"select", "insert", "update", "delete", "replace", "merge", "with", "create",
                                           "alter", "drop", "truncate", "call", "exec", "explain", "begin", "commit"});
}

std::string MaskSqlLiterals(std::string_view sql, const SqlDialect& dialect) {
  return SqlMasker(StdView(absl::StripAsciiWhitespace(AbslView(sql))), dialect).Run();
}

}  // namespace spanloom::pipeline
