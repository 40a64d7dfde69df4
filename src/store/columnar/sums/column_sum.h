// SPDX-License-Identifier: Apache-2.0
//
// A sum over single spans (names, counts, aggregates) that takes them from columns where columns say enough, and as
// messages where they do not.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/status.h"
#include "store/columnar/match/page_columns.h"
#include "store/columnar/match/row_set.h"
#include "store/columnar/segment/segment_reader.h"
#include "store/scan/read_meter.h"
#include "store/scan/trace_reading.h"
#include "store/span.h"

namespace spanloom::store::columnar {

// Rows of a group, in its order, that count. A value; borrows the bits.
class SelectedRows {
 public:
  // All of them.
  explicit SelectedRows(size_t rows) : rows_(rows), count_(rows) {}
  SelectedRows(const RowBits& bits, size_t rows) : bits_(&bits), rows_(rows) {
    for (const uint64_t word : bits) count_ += static_cast<size_t>(std::popcount(word));
  }

  [[nodiscard]] size_t count() const { return count_; }
  [[nodiscard]] bool Has(size_t row) const { return bits_ == nullptr || HasRow(*bits_, row); }

  template <typename Visit>
  void ForEach(Visit visit) const {
    for (size_t row = 0; row < rows_; ++row) {
      if (Has(row)) visit(row);
    }
  }

 private:
  const RowBits* bits_ = nullptr;  // null: all
  size_t rows_ = 0;
  size_t count_ = 0;
};

// Thread-compatible.
class ColumnSum {
 public:
  virtual ~ColumnSum() = default;

  // Groups are of this segment from here on, until the next call. The reader outlives that.
  virtual void BeginSegment(const SegmentReader& reader) = 0;

  // Adds some rows of a group of spans. False if columns do not say what they have: then none was added. Errors:
  // kDataLoss and those of the disk, with perhaps some rows added; those of the sum.
  virtual StatusOr<bool> AddGroup(PageColumns& page, uint32_t group, const SelectedRows& rows) = 0;

  // True if AddOrigin says all that messages would.
  [[nodiscard]] virtual bool needs_only_origins() const { return false; }
  // Adds so many spans that count, if that is so. Errors: those of the sum.
  virtual Status AddOrigin(const SpanOrigin&, uint64_t) { return absl::OkStatus(); }

  // Adds those spans of a part of a trace that count. Errors: those of the sum, the meter's.
  virtual Status AddMessages(scan::TraceReading& spans, scan::ReadMeter& meter) = 0;
};

}  // namespace spanloom::store::columnar
