// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/match/field_columns.h"

#include <algorithm>
#include <utility>

#include "store/columnar/match/origin_reading.h"
#include "store/scan/span_fields.h"

namespace spanloom::store::columnar {

FieldColumns::FieldColumns(Field field, const SegmentReader& reader)
    : reader_(reader), sources_(std::move(field), reader.index()), dictionaries_(reader.index().columns().size()) {}

StatusOr<bool> FieldColumns::Begin(PageColumns& page, uint32_t group) {
  loaded_.clear();
  texts_.Clear();
  for (const ValueSource& source : sources_.Of(page.groups(RowTable::kSpans)[group].shape)) {
    if (source.kind == ValueSource::Kind::kEmpty) continue;
    Loaded loaded;
    loaded.source = source;
    ASSIGN_OR_RETURN(const bool is_known, Load(page, group, loaded));
    if (!is_known) return false;
    loaded_.push_back(std::move(loaded));
  }
  return true;
}

StatusOr<bool> FieldColumns::Load(PageColumns& page, uint32_t group, Loaded& loaded) {
  const GroupRef& ref = page.groups(RowTable::kSpans)[group];
  switch (loaded.source.kind) {
    case ValueSource::Kind::kConstant:
      return true;
    case ValueSource::Kind::kOrigin:
      loaded.source.slot = 0;  // the first of every shape of spans
      loaded.by_code = &OriginValues();
      break;
    case ValueSource::Kind::kSlot: {
      const SlotPlace place = ref.slots[loaded.source.slot].place;
      if (place == SlotPlace::kPool) {
        RETURN_IF_ERROR(LoadPool(page, group, loaded));
        return true;
      }
      const uint32_t column = reader_.index().shapes()[ref.shape].slot_columns[loaded.source.slot];
      if (place == SlotPlace::kDictionary) loaded.by_code = &DictionaryValues(column, loaded.source.reading);
      break;
    }
    default:
      return false;
  }
  RETURN_IF_ERROR(LoadNumbers(page, group, loaded));
  return true;
}

Status FieldColumns::LoadNumbers(PageColumns& page, uint32_t group, Loaded& loaded) const {
  const PackedSlice& slice = page.groups(RowTable::kSpans)[group].slots[loaded.source.slot].slice;
  loaded.constant = slice.base;
  if (!slice.is_constant()) {
    ASSIGN_OR_RETURN(const auto numbers, page.Numbers(RowTable::kSpans, group, loaded.source.slot));
    loaded.numbers.assign(numbers.begin(), numbers.end());
  }
  if (loaded.by_code == nullptr) return absl::OkStatus();
  const size_t codes = loaded.by_code->size();
  const bool is_beyond =
      loaded.constant >= codes || std::ranges::any_of(loaded.numbers, [&](uint64_t code) { return code >= codes; });
  return is_beyond ? absl::DataLossError("a code that is beyond its dictionary") : absl::OkStatus();
}

Status FieldColumns::LoadPool(PageColumns& page, uint32_t group, Loaded& loaded) {
  RETURN_IF_ERROR(LoadNumbers(page, group, loaded));
  ASSIGN_OR_RETURN(const auto rows, page.RowsOf(RowTable::kSpans, group));
  loaded.cells.reserve(rows.size());
  for (size_t row = 0; row < rows.size(); ++row) {
    const uint64_t number = loaded.numbers.empty() ? loaded.constant : loaded.numbers[row];
    ASSIGN_OR_RETURN(const std::string_view text, page.PoolText(rows[row], number));
    loaded.cells.push_back(CellOfText(loaded.source.reading, texts_.Keep(text)));
  }
  return absl::OkStatus();
}

// As a span has them that has nothing but its origin.
const FieldColumns::CodeTable& FieldColumns::OriginValues() {
  if (origins_ != nullptr) return *origins_;
  origins_ = std::make_unique<CodeTable>();
  for (const auto& origin : reader_.index().origins()) {
    OriginReading bare(origin);
    std::vector<Cell>& cells = origins_->emplace_back();
    for (const Field& field : OriginFieldsOf(sources_.field())) {
      scan::ForEachValue(field, bare.reading(), 0, origin_texts_, [&](const Cell& cell) {
        cells.push_back(cell);
        return true;
      });
    }
  }
  return *origins_;
}

const FieldColumns::CodeTable& FieldColumns::DictionaryValues(uint32_t column, Reading reading) {
  std::unique_ptr<CodeTable>& table = dictionaries_[column];
  if (table != nullptr) return *table;
  table = std::make_unique<CodeTable>();
  for (const std::string_view text : reader_.index().Dictionary(column)) {
    std::vector<Cell>& cells = table->emplace_back();
    const Cell cell = CellOfText(reading, text);
    if (!cell.is_none()) cells.push_back(cell);
  }
  return *table;
}

std::optional<FieldColumns::Codes> FieldColumns::OnlyCodes() const {
  if (loaded_.size() != 1 || loaded_.front().by_code == nullptr) return std::nullopt;
  const Loaded& loaded = loaded_.front();
  return Codes{.of_rows = loaded.numbers, .code = loaded.constant, .end = loaded.by_code->size()};
}

}  // namespace spanloom::store::columnar
