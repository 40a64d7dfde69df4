// SPDX-License-Identifier: Apache-2.0
//
// The values of one field in the rows of a group of spans, read from columns: what store/scan/span_fields.h visits, in
// the same order.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "store/columnar/match/page_columns.h"
#include "store/columnar/match/value_sources.h"
#include "store/columnar/segment/segment_reader.h"
#include "store/field.h"
#include "store/scan/text_arena.h"
#include "store/value.h"

namespace spanloom::store::columnar {

// Thread-compatible. The reader must outlive it. Errors of all calls: kDataLoss, those of the disk.
class FieldColumns {
 public:
  FieldColumns(Field field, const SegmentReader& reader);

  // Makes ready for the rows of a group. False if columns do not say what its values are: then messages have to be
  // read.
  StatusOr<bool> Begin(PageColumns& page, uint32_t group);

  // The values of a row of the group, in the order of the group; their texts live until the next Begin, those of
  // dictionaries and origins as long as this. `visit` takes a Cell and returns false to hear no more.
  template <typename Visit>
  void ForEach(size_t row, Visit visit) const;

  // The first value; kNone if there is none.
  [[nodiscard]] Cell First(size_t row) const {
    Cell first;
    ForEach(row, [&](const Cell& cell) {
      first = cell;
      return false;
    });
    return first;
  }

  // Non-null if the group has exactly one source that numbers it with a dictionary or its origins: [rows] the codes,
  // empty if all are `code`. Values of code c: CodeValues(c).
  struct Codes {
    std::span<const uint64_t> of_rows;
    uint64_t code = 0;
    uint64_t end = 0;  // no code is as high
  };
  [[nodiscard]] std::optional<Codes> OnlyCodes() const;
  [[nodiscard]] std::span<const Cell> CodeValues(uint64_t code) const { return (*loaded_.front().by_code)[code]; }

 private:
  using CodeTable = std::vector<std::vector<Cell>>;  // [codes][values]
  // A source with what its rows have.
  struct Loaded {
    ValueSource source;
    std::vector<uint64_t> numbers;  // [rows], or empty if all have `constant`
    uint64_t constant = 0;
    const CodeTable* by_code = nullptr;  // of origins and dictionaries
    std::vector<Cell> cells;             // [rows], of the pool
    mutable char text[8] = {};           // scratch of CellOfNumber
  };

  StatusOr<bool> Load(PageColumns& page, uint32_t group, Loaded& loaded);
  Status LoadNumbers(PageColumns& page, uint32_t group, Loaded& loaded) const;
  Status LoadPool(PageColumns& page, uint32_t group, Loaded& loaded);
  const CodeTable& OriginValues();
  const CodeTable& DictionaryValues(uint32_t column, Reading reading);

  const SegmentReader& reader_;
  FieldSources sources_;
  std::unique_ptr<CodeTable> origins_;                    // null until asked for
  std::vector<std::unique_ptr<CodeTable>> dictionaries_;  // [columns]; null until asked for
  scan::TextArena origin_texts_;
  std::vector<Loaded> loaded_;
  scan::TextArena texts_;  // of the group
};

template <typename Visit>
void FieldColumns::ForEach(size_t row, Visit visit) const {
  for (const Loaded& loaded : loaded_) {
    if (loaded.source.kind == ValueSource::Kind::kConstant) {
      if (!visit(loaded.source.constant)) return;
      continue;
    }
    if (!loaded.cells.empty()) {
      if (!loaded.cells[row].is_none() && !visit(loaded.cells[row])) return;
      continue;
    }
    const uint64_t number = loaded.numbers.empty() ? loaded.constant : loaded.numbers[row];
    if (loaded.by_code != nullptr) {
      for (const Cell& cell : (*loaded.by_code)[number]) {
        if (!visit(cell)) return;
      }
      continue;
    }
    const Cell cell = CellOfNumber(loaded.source.reading, number, loaded.text);
    if (!cell.is_none() && !visit(cell)) return;
  }
}

}  // namespace spanloom::store::columnar
