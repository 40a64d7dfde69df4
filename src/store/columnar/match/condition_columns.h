// SPDX-License-Identifier: Apache-2.0
//
// One condition asked of a segment's columns: first of what indices say (shapes, bounds, dictionaries, the text index),
// and only where they do not decide, of values.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/status.h"
#include "store/columnar/match/page_columns.h"
#include "store/columnar/match/row_set.h"
#include "store/columnar/match/value_facts.h"
#include "store/columnar/match/value_sources.h"
#include "store/columnar/segment/segment_reader.h"
#include "store/predicate.h"
#include "store/scan/condition_check.h"

namespace spanloom::store::columnar {

// Thread-compatible. The reader must outlive it. What it says agrees with scan::PredicateMatcher wherever it is sure.
// Errors of all calls: kDataLoss, those of the disk.
class ConditionColumns {
 public:
  // `condition` must be valid.
  ConditionColumns(const Condition& condition, const SegmentReader& reader);

  // False: it holds for no row of the segment.
  StatusOr<bool> MayHold();

  // For which rows of a group of spans it holds, in the order of the group.
  StatusOr<RowSet> Evaluate(PageColumns& page, uint32_t group);

 private:
  // A source within a group of a table.
  struct SlotPlaceInPage {
    RowTable table = RowTable::kSpans;
    uint32_t group = 0;
    ValueSource source;
  };
  // What a text of a dictionary, or an origin, is.
  struct CellFacts {
    bool has_value = false;
    bool is_comparable = false;
    bool is_hit = false;
    friend bool operator==(const CellFacts&, const CellFacts&) = default;
  };

  StatusOr<bool> MayHit(uint32_t shape);
  StatusOr<bool> MayHit(uint32_t shape, const ValueSource& source);

  StatusOr<ValueFacts> FactsOf(PageColumns& page, RowTable table, uint32_t group);
  StatusOr<ValueFacts> FactsOf(PageColumns& page, const SlotPlaceInPage& place);
  StatusOr<ValueFacts> FactsOfNumbers(PageColumns& page, const SlotPlaceInPage& place);
  StatusOr<ValueFacts> FactsOfPool(PageColumns& page, const SlotPlaceInPage& place);
  StatusOr<ValueFacts> FactsOfOrigins(PageColumns& page, uint32_t group);
  StatusOr<ValueFacts> FactsOfCodes(PageColumns& page, const SlotPlaceInPage& place,
                                    const std::vector<CellFacts>& by_code);
  StatusOr<ValueFacts> FactsOfChildren(PageColumns& page, RowTable children, uint32_t group);
  StatusOr<ValueFacts> FactsOfTable(PageColumns& page, RowTable children);

  CellFacts FactsOf(const Cell& cell) const;
  CellFacts FactsOfOrigin(const std::shared_ptr<const SpanOrigin>& origin) const;
  const std::vector<CellFacts>& OriginFacts();
  const std::vector<CellFacts>& DictionaryFacts(uint32_t column, Reading reading);
  // Of a text of the pool, which is looked at once a page.
  StatusOr<CellFacts> PoolFacts(PageColumns& page, Reading reading, uint32_t row, uint64_t number);
  // The pages that may have the operand among the texts of their pool; nullopt if any may.
  StatusOr<std::optional<std::vector<uint32_t>>> PagesWithOperand();
  // Whether numbers between the two are hits; nullopt if some may be.
  [[nodiscard]] std::optional<bool> HitBetween(const Cell& least, const Cell& most) const;
  [[nodiscard]] bool CanBeHit(ValueKind kind) const;

  const SegmentReader& reader_;
  const scan::ConditionCheck check_;
  FieldSources sources_;
  std::vector<CellFacts> origins_;                                      // [origins], or empty
  absl::flat_hash_map<uint32_t, std::vector<CellFacts>> dictionaries_;  // by column
  struct PoolMemo {
    size_t page = 0;
    Reading reading = Reading::kString;
    std::vector<std::optional<CellFacts>> entries;  // [PageColumns::PoolEntries], empty at first
  };
  PoolMemo pool_;                                                          // of the last page
  std::optional<std::vector<uint32_t>> pages_;                             // nullopt until asked for
  absl::flat_hash_map<RowTable, std::pair<size_t, ValueFacts>> children_;  // of the last page, by its number
};

}  // namespace spanloom::store::columnar
