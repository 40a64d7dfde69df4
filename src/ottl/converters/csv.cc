// SPDX-License-Identifier: Apache-2.0
//
// ParseCSV: a row of separated values, read as Go's encoding/csv reads it and the Collector puts lines together.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "ottl/function_table.h"
#include "ottl/map_builder.h"
#include "ottl/utf8.h"

namespace spanloom::ottl {
namespace {

using Type = ParameterType;
using Fields = std::vector<std::string>;

// Reads line by line; a quoted field may have several. RFC 4180: a quote inside of a quoted field stands twice. With
// `is_lazy`, a quote may stand anywhere.
class CsvReader {
 public:
  CsvReader(std::string_view text, std::string_view delimiter, bool is_lazy)
      : rest_(text), delimiter_(delimiter), is_lazy_(is_lazy) {}

  // What stands in front of a quote that is wrong is kept, if it is not nothing; nullopt then, and if there is no line.
  std::optional<Fields> Read() {
    std::optional<Fields> row;
    while (NextRecord()) {
      if (has_failed_ && fields_.empty()) return std::nullopt;
      if (!row) {
        row = std::exchange(fields_, {});
        continue;
      }
      // The text is one row: a new line belongs to the field that it stands in.
      row->back().append("\n").append(fields_[0]);
      row->insert(row->end(), fields_.begin() + 1, fields_.end());
    }
    return row;
  }

 private:
  bool NextLine() {
    if (rest_.empty()) return false;
    const size_t end = rest_.find('\n');
    has_new_line_ = end != std::string_view::npos;
    line_ = rest_.substr(0, end);
    rest_.remove_prefix(has_new_line_ ? end + 1 : rest_.size());
    if (line_.ends_with('\r')) line_.remove_suffix(1);
    return true;
  }

  bool NextRecord() {
    fields_.clear();
    has_failed_ = false;
    do {
      if (!NextLine()) return false;
    } while (line_.empty());
    while (line_.starts_with('"') ? QuotedField() : PlainField()) continue;
    return true;
  }

  // Each is true if another field follows.
  bool PlainField() {
    const size_t size = std::min(line_.find(delimiter_), line_.size());
    const std::string_view field = line_.substr(0, size);
    if (!is_lazy_ && field.find('"') != std::string_view::npos) return Fail();
    fields_.emplace_back(field);
    return PassDelimiter(size);
  }

  bool QuotedField() {
    std::string field;
    line_.remove_prefix(1);
    while (true) {
      const size_t quote = line_.find('"');
      field.append(line_.substr(0, quote));
      if (quote == std::string_view::npos) {
        if (has_new_line_) field.push_back('\n');
        if (!NextLine()) return is_lazy_ ? Keep(std::move(field)) : Fail();
        continue;
      }
      line_.remove_prefix(quote + 1);
      if (line_.empty() || line_.starts_with(delimiter_)) {
        Keep(std::move(field));
        return PassDelimiter(0);
      }
      const bool is_doubled = line_.starts_with('"');
      if (!is_doubled && !is_lazy_) return Fail();
      field.push_back('"');
      line_.remove_prefix(is_doubled ? 1 : 0);
    }
  }

  bool PassDelimiter(size_t at) {
    if (at == line_.size()) return false;
    line_.remove_prefix(at + delimiter_.size());
    return true;
  }
  bool Keep(std::string field) {
    fields_.push_back(std::move(field));
    return false;
  }
  bool Fail() {
    has_failed_ = true;
    return false;
  }

  std::string_view rest_;
  std::string_view line_;  // what is left of it, without its end
  bool has_new_line_ = false;
  std::string_view delimiter_;
  bool is_lazy_;
  Fields fields_;  // of the record
  bool has_failed_ = false;
};

Fields SplitAt(std::string_view text, std::string_view delimiter) {
  Fields parts;
  for (size_t at = text.find(delimiter); at != std::string_view::npos; at = text.find(delimiter)) {
    parts.emplace_back(text.substr(0, at));
    text.remove_prefix(at + delimiter.size());
  }
  parts.emplace_back(text);
  return parts;
}

bool IsOneCharacter(std::string_view text) {
  return !text.empty() && Utf8Size(text) == text.size();
}

class Checked final : public Prepared {};

PreparedOr PrepareParseCsv(const Arguments& a) {
  if (a.is_given(2) && !IsOneCharacter(a[2].text())) {
    return absl::InvalidArgumentError("invalid arguments: delimiter must be a single character");
  }
  if (a.is_given(3) && !IsOneCharacter(a[3].text())) {
    return absl::InvalidArgumentError("invalid arguments: header_delimiter must be a single character");
  }
  const std::string_view mode = a.is_given(4) ? a[4].text() : "strict";
  if (mode != "strict" && mode != "lazyQuotes" && mode != "ignoreQuotes") {
    return absl::InvalidArgumentError(StrCat("unknown mode: ", mode));
  }
  return std::make_unique<Checked>();
}

Value ParseCsv(Evaluation& e, const Arguments& a) {
  const std::string_view delimiter = a.has(2) ? a[2].text() : ",";
  const std::string_view header_delimiter = a.has(3) ? a[3].text() : delimiter;
  const std::string_view mode = a.has(4) ? a[4].text() : "strict";
  if (a[1].text().empty()) return e.Fail("headers must not be an empty string");
  const Fields headers = SplitAt(a[1].text(), header_delimiter);
  std::optional<Fields> fields;
  if (mode == "ignoreQuotes") {
    fields = SplitAt(a[0].text(), delimiter);
  } else if (delimiter == "\"" || delimiter == "\r" || delimiter == "\n") {
    return e.Fail("read csv line: csv: invalid field or comment delimiter");
  } else {
    fields = CsvReader(a[0].text(), delimiter, mode == "lazyQuotes").Read();
  }
  if (!fields) return e.Fail("read csv line: there is none, or a quote stands where none may or is left open");
  if (fields->size() != headers.size()) {
    return e.Fail(
        StrCat("map csv headers: wrong number of fields: expected ", headers.size(), ", found ", fields->size()));
  }
  MapBuilder map;
  for (size_t i = 0; i < headers.size(); ++i) {
    map.Set(e.arena().Copy(std::string_view(headers[i])), e.NewString((*fields)[i]));
  }
  return e.NewMap(map.entries());
}

constexpr Function kFunctions[] = {
    {"ParseCSV",
     {Parameter{"target", Type::kString}, Parameter{"header", Type::kString},
      Parameter{"delimiter", Type::kStringLiteral, true}, Parameter{"headerDelimiter", Type::kStringLiteral, true},
      Parameter{"mode", Type::kStringLiteral, true}},
     ParseCsv,
     PrepareParseCsv,
     1 << 2 | 1 << 3 | 1 << 4},
};

}  // namespace

std::span<const Function> CsvConverters() {
  return kFunctions;
}

}  // namespace spanloom::ottl
