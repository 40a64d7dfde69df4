// SPDX-License-Identifier: Apache-2.0
//
// Writes a segment: traces in, a file out. Format: docs/formats/segment.md.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "store/columnar/disk/disk.h"
#include "store/columnar/segment/page_encoder.h"
#include "store/columnar/segment/segment_layout.h"
#include "store/columnar/segment/segment_sink.h"
#include "store/columnar/segment/shape_table.h"
#include "store/columnar/segment/shredder.h"
#include "store/columnar/segment/text_columns.h"
#include "store/columnar/segment/text_pool.h"
#include "store/columnar/segment/trace_chunk.h"
#include "store/span.h"
#include "store/span_tree.h"
#include "store/trace_row.h"

namespace spanloom::store::columnar {

// What a segment holds.
struct SegmentTotals {
  uint64_t spans = 0;
  uint64_t traces = 0;
  uint64_t pool_entries = 0;
  uint64_t first_start_unix_ns = 0;  // of its spans
  uint64_t last_start_unix_ns = 0;

  friend bool operator==(const SegmentTotals&, const SegmentTotals&) = default;
};

// Thread-compatible. Memory: the values of one page and the traces they are of, the dictionaries, and about 100 bytes a
// trace.
class SegmentBuilder {
 public:
  // Appends to `file`, which must be empty and outlive it.
  explicit SegmentBuilder(disk::File& file);
  SegmentBuilder(const SegmentBuilder&) = delete;
  SegmentBuilder& operator=(const SegmentBuilder&) = delete;

  // Adds a trace with at least one span, in the order of Trace. Traces come in the order of their first start, then
  // id, each once. `version` is TraceRow's.
  void Add(Trace trace, uint64_t version);

  // Writes what is left. Then the file is whole, but not forced to the disk. Errors: those of the file.
  StatusOr<SegmentTotals> Finish();

 private:
  void AddSpans(const Trace& trace, std::span<const otlp::SpanView> views, std::span<const SpanLink> links,
                uint64_t trace_start);
  void AddEntry(const TraceRow& row, uint64_t last_start_unix_ns);
  uint32_t OriginOf(const std::shared_ptr<const SpanOrigin>& origin);
  uint32_t SummaryOf(const TraceRow& row);
  void WritePage();
  void WriteTraces();
  std::string ColumnsSection() const;
  std::string ShapesSection() const;
  std::string TotalsSection() const;
  SectionRef WriteOrder();

  SegmentSink sink_;
  ShapeTable shapes_;
  Shredder shredder_{shapes_};
  TextColumns columns_;
  TextPool pool_{sink_};
  PageEncoder encoder_{shapes_, columns_, pool_, sink_};
  SegmentTotals totals_;
  Directory directory_;

  // The page under way.
  PageRows rows_;
  std::vector<bool> begins_trace_;  // [rows]
  PageRef page_;                    // its bounds
  std::deque<Trace> held_traces_;   // whose texts rows_ borrow

  std::string pages_;  // of the section
  uint64_t page_count_ = 0;
  std::vector<TraceEntry> traces_;
  absl::flat_hash_map<const SpanOrigin*, uint32_t> origin_numbers_;
  absl::flat_hash_map<std::string, uint32_t> origins_by_content_;  // as in the section
  std::vector<std::shared_ptr<const SpanOrigin>> held_origins_;    // so that no other one takes its address
  std::vector<std::string> origins_;                               // as in the section
  absl::flat_hash_map<std::string, uint32_t> summary_numbers_;
  std::vector<std::string> summaries_;  // as in the section
};

}  // namespace spanloom::store::columnar
