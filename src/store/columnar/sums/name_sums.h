// SPDX-License-Identifier: Apache-2.0
//
// Lists of names (store/names.h) summed up from columns.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/columnar/match/field_columns.h"
#include "store/columnar/sums/column_sum.h"
#include "store/names.h"
#include "store/scan/span_names.h"

namespace spanloom::store::columnar {

// Each is thread-compatible, and its counts, one of span_names.h, must outlive it.
template <typename Counts>
class NameSum : public ColumnSum {
 public:
  explicit NameSum(Counts& counts) : counts_(counts) {}

  Status AddMessages(scan::TraceReading& spans, scan::ReadMeter& meter) final { return counts_.Add(spans, meter); }

 protected:
  Counts& counts_;
};

class ServiceSum final : public NameSum<scan::ServiceCounts> {
 public:
  using NameSum::NameSum;

  [[nodiscard]] bool needs_only_origins() const override { return true; }
  Status AddOrigin(const SpanOrigin& origin, uint64_t spans) override;
  void BeginSegment(const SegmentReader& reader) override;
  StatusOr<bool> AddGroup(PageColumns& page, uint32_t group, const SelectedRows& rows) override;

 private:
  std::optional<FieldColumns> service_;
};

class OperationSum final : public NameSum<scan::OperationCounts> {
 public:
  OperationSum(std::string service, scan::OperationCounts& counts) : NameSum(counts), service_(std::move(service)) {}

  void BeginSegment(const SegmentReader& reader) override;
  StatusOr<bool> AddGroup(PageColumns& page, uint32_t group, const SelectedRows& rows) override;

 private:
  const std::string service_;
  std::optional<FieldColumns> services_;
  std::optional<FieldColumns> names_;
  std::optional<FieldColumns> kinds_;
};

class ValueSum final : public NameSum<scan::ValueCounts> {
 public:
  ValueSum(const Field& field, scan::ValueCounts& counts) : NameSum(counts), field_(field) {}

  void BeginSegment(const SegmentReader& reader) override;
  StatusOr<bool> AddGroup(PageColumns& page, uint32_t group, const SelectedRows& rows) override;

 private:
  Status AddCodes(const FieldColumns::Codes& codes, const SelectedRows& rows);
  Status AddRows(const SelectedRows& rows);

  const Field field_;
  std::optional<FieldColumns> values_;
};

class KeySum final : public NameSum<scan::KeyCounts> {
 public:
  using NameSum::NameSum;

  void BeginSegment(const SegmentReader& reader) override;
  StatusOr<bool> AddGroup(PageColumns& page, uint32_t group, const SelectedRows& rows) override;

 private:
  using ScopedKey = std::pair<AttributeScope, std::string>;
  // [rows of the page], by key: spans that have an event, or a link, with it.
  using ChildKeys = absl::flat_hash_map<std::string, RowBits>;

  Status AddOrigins(PageColumns& page, uint32_t group, const SelectedRows& rows);
  Status AddChildren(PageColumns& page, uint32_t group, RowTable table, const SelectedRows& rows);
  StatusOr<const ChildKeys*> KeysOfChildren(PageColumns& page, RowTable table);
  [[nodiscard]] static bool HasRawChildren(const PageColumns& page);

  const SegmentReader* reader_ = nullptr;
  std::vector<std::vector<ScopedKey>> origins_;                                   // [origins]
  std::array<std::optional<std::pair<size_t, ChildKeys>>, kRowTables> children_;  // of the last page, by its number
};

}  // namespace spanloom::store::columnar
