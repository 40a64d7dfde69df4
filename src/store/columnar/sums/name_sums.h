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

// Each is thread-compatible, and its counts must outlive it.

class ServiceSum final : public ColumnSum {
 public:
  explicit ServiceSum(scan::ServiceCounts& counts) : counts_(counts) {}

  void BeginSegment(const SegmentReader& reader) override;
  StatusOr<bool> AddGroup(PageColumns& page, uint32_t group, const SelectedRows& rows) override;
  Status AddMessages(scan::TraceReading& spans, scan::ReadMeter& meter) override { return counts_.Add(spans, meter); }

 private:
  scan::ServiceCounts& counts_;
  std::optional<FieldColumns> service_;
};

class OperationSum final : public ColumnSum {
 public:
  OperationSum(std::string service, scan::OperationCounts& counts) : service_(std::move(service)), counts_(counts) {}

  void BeginSegment(const SegmentReader& reader) override;
  StatusOr<bool> AddGroup(PageColumns& page, uint32_t group, const SelectedRows& rows) override;
  Status AddMessages(scan::TraceReading& spans, scan::ReadMeter& meter) override { return counts_.Add(spans, meter); }

 private:
  const std::string service_;
  scan::OperationCounts& counts_;
  std::optional<FieldColumns> services_;
  std::optional<FieldColumns> names_;
  std::optional<FieldColumns> kinds_;
};

class ValueSum final : public ColumnSum {
 public:
  ValueSum(const Field& field, scan::ValueCounts& counts) : field_(field), counts_(counts) {}

  void BeginSegment(const SegmentReader& reader) override;
  StatusOr<bool> AddGroup(PageColumns& page, uint32_t group, const SelectedRows& rows) override;
  Status AddMessages(scan::TraceReading& spans, scan::ReadMeter& meter) override { return counts_.Add(spans, meter); }

 private:
  Status AddCodes(const FieldColumns::Codes& codes, const SelectedRows& rows);
  Status AddRows(const SelectedRows& rows);

  const Field field_;
  scan::ValueCounts& counts_;
  std::optional<FieldColumns> values_;
};

class KeySum final : public ColumnSum {
 public:
  explicit KeySum(scan::KeyCounts& counts) : counts_(counts) {}

  void BeginSegment(const SegmentReader& reader) override;
  StatusOr<bool> AddGroup(PageColumns& page, uint32_t group, const SelectedRows& rows) override;
  Status AddMessages(scan::TraceReading& spans, scan::ReadMeter& meter) override { return counts_.Add(spans, meter); }

 private:
  using ScopedKey = std::pair<AttributeScope, std::string>;
  // [rows of the page], by key: spans that have an event, or a link, with it.
  using ChildKeys = absl::flat_hash_map<std::string, RowBits>;

  Status AddOrigins(PageColumns& page, uint32_t group, const SelectedRows& rows);
  Status AddChildren(PageColumns& page, uint32_t group, RowTable table, const SelectedRows& rows);
  StatusOr<const ChildKeys*> KeysOfChildren(PageColumns& page, RowTable table);
  [[nodiscard]] static bool HasRawChildren(const PageColumns& page);

  scan::KeyCounts& counts_;
  const SegmentReader* reader_ = nullptr;
  std::vector<std::vector<ScopedKey>> origins_;                                   // [origins]
  std::array<std::optional<std::pair<size_t, ChildKeys>>, kRowTables> children_;  // of the last page, by its number
};

}  // namespace spanloom::store::columnar
