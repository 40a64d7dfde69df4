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
#include "store/columnar/segment/page_encoder.h"
#include "store/columnar/segment/segment_layout.h"
#include "store/columnar/segment/segment_sink.h"
#include "store/columnar/segment/shape_table.h"
#include "store/columnar/segment/shredder.h"
#include "store/columnar/segment/span_source.h"
#include "store/columnar/segment/summary_table.h"
#include "store/columnar/segment/text_columns.h"
#include "store/columnar/segment/text_index.h"
#include "store/columnar/segment/text_pool.h"
#include "store/columnar/segment/trace_chunk.h"
#include "store/disk/disk.h"
#include "store/span.h"
#include "store/span_tree.h"

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

// Thread-compatible. Memory: the values of one page and the traces they are of, the dictionaries, about 100 bytes a
// trace, and about 300 a span of the trace that is added.
class SegmentBuilder {
 public:
  // Appends to `file`, which must be empty and outlive it.
  explicit SegmentBuilder(disk::File& file);
  SegmentBuilder(const SegmentBuilder&) = delete;
  SegmentBuilder& operator=(const SegmentBuilder&) = delete;

  // Adds a trace with at least one span, which are in order of arrival, or by start and then arrival. They must outlive
  // the builder. Traces come in the order of their first start, then id, each once. `version` is TraceRow's.
  void Add(const otlp::TraceId& id, std::span<const StoredSpan* const> spans, uint64_t version);
  // The same, and holds the spans as long as it needs them.
  void Add(Trace trace, uint64_t version);
  // The same of a trace that may be large: reads its spans twice, and holds few of them. Errors: those of `spans`; then
  // the builder is of no use any more.
  Status Add(const otlp::TraceId& id, SpanSource& spans, uint64_t version);

  // Writes what is left. Then the file is whole, but not forced to the disk. Errors: those of the file.
  StatusOr<SegmentTotals> Finish();

 private:
  // What is read of a span before it is taken apart.
  struct SpanFacts {
    std::string_view wire;  // empty if it is read once more
    std::string_view name;  // the same, but for the root
    uint64_t start_unix_ns = 0;
    uint64_t end_unix_ns = 0;
    uint32_t origin = 0;
    bool is_error = false;
    SpanLink link;
  };

  // By start, then arrival.
  void ReadFacts(std::span<const StoredSpan* const> spans);
  Status ReadFacts(SpanSource& spans);
  SpanFacts FactsOf(const StoredSpan& span);
  // Each takes the spans of facts_.
  void FindParents();
  Status AddRows(const otlp::TraceId& id, SpanSource& spans);
  void AddRow(const otlp::TraceId& id, size_t number, std::string_view wire);
  void AddEntry(const otlp::TraceId& id, uint64_t version);
  uint32_t OriginOf(const std::shared_ptr<const SpanOrigin>& origin);
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
  TextIndexWriter text_index_;
  PageEncoder encoder_{shapes_, columns_, pool_, text_index_, sink_};
  SegmentTotals totals_;
  Directory directory_;

  // The page under way.
  PageRows rows_;
  std::vector<bool> begins_trace_;                  // [rows]
  PageRef page_;                                    // its bounds
  std::deque<std::vector<StoredSpan>> held_spans_;  // whose texts rows_ borrow
  // Of the trace that is added.
  std::vector<SpanFacts> facts_;
  std::vector<SpanLink> links_;
  std::vector<int64_t> parents_;
  std::vector<const StoredSpan*> added_;
  std::string root_name_;  // of a trace whose spans are read twice

  std::string pages_;  // of the section
  uint64_t page_count_ = 0;
  std::vector<TraceEntry> traces_;
  absl::flat_hash_map<const SpanOrigin*, uint32_t> origin_numbers_;
  absl::flat_hash_map<std::string, uint32_t> origins_by_content_;  // as in the section
  std::vector<std::shared_ptr<const SpanOrigin>> held_origins_;    // so that no other one takes its address
  std::vector<std::string> origins_;                               // as in the section
  const SpanOrigin* last_origin_ = nullptr;                        // held
  uint32_t last_origin_number_ = 0;
  SummaryTable summaries_;
};

}  // namespace spanloom::store::columnar
