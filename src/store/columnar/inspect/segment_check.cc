// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/inspect/segment_check.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "store/columnar/segment/span_reader.h"
#include "store/trace_row.h"

namespace spanloom::store::columnar {
namespace {

constexpr uint64_t kRowsAtOnce = 4096;  // of a trace

class SegmentCheck {
 public:
  SegmentCheck(const SegmentReader& reader, absl::FunctionRef<Status(uint64_t spans)> on_spans)
      : reader_(reader), on_spans_(on_spans), blocks_(reader.MakeBlocks()) {}

  Status Run() {
    RETURN_IF_ERROR(reader_.CheckTextIndex());
    uint64_t traces = 0;
    for (const TraceChunkRef& chunk : reader_.index().trace_chunks()) {
      ASSIGN_OR_RETURN(const std::vector<TracePlace> places, reader_.TracesOf(chunk));
      for (const TracePlace& place : places) RETURN_IF_ERROR(CheckTrace(place));
      traces += places.size();
    }
    const SegmentTotals& totals = reader_.index().totals();
    if (traces == totals.traces && spans_ == totals.spans) return absl::OkStatus();
    return absl::DataLossError(StrCat("it has ", traces, " traces and ", spans_, " spans, and should have ",
                                      totals.traces, " and ", totals.spans));
  }

 private:
  Status CheckTrace(const TracePlace& place) {
    const otlp::TraceId id = place.id();
    ASSIGN_OR_RETURN(const std::optional<TracePlace> found, reader_.Find(id));
    if (!found || found->number != place.number) return Wrong(id, "is not found by its id");
    TraceRowBuilder row(id);
    SpanReader spans(place, blocks_);
    for (uint64_t begin = 0; begin < place.rows(); begin += kRowsAtOnce) {
      RETURN_IF_ERROR(AddSpans(id, spans, begin, std::min(place.rows(), begin + kRowsAtOnce), row));
    }
    const TraceRow said = reader_.RowOf(place);
    if (std::move(row).Finish(said.version) == said) return absl::OkStatus();
    return Wrong(id, "is not what the trace table says");
  }

  Status AddSpans(const otlp::TraceId& id, SpanReader& reader, uint64_t begin, uint64_t end, TraceRowBuilder& row) {
    std::vector<StoredSpan> spans;
    RETURN_IF_ERROR(reader.Read(begin, end, spans));
    for (const StoredSpan& span : spans) {
      const otlp::SpanView view = span.span();
      if (view.trace_id() != id) return Wrong(id, "has a span of another trace");
      row.Add(span, view);
    }
    spans_ += spans.size();
    return on_spans_(spans.size());
  }

  static Status Wrong(const otlp::TraceId& id, std::string_view what) {
    return absl::DataLossError(StrCat("trace ", id.Hex(), " ", what));
  }

  const SegmentReader& reader_;
  const absl::FunctionRef<Status(uint64_t spans)> on_spans_;
  SegmentBlocks blocks_;
  uint64_t spans_ = 0;
};

}  // namespace

Status CheckSegment(const SegmentReader& reader, absl::FunctionRef<Status(uint64_t spans)> on_spans) {
  return SegmentCheck(reader, on_spans).Run();
}

}  // namespace spanloom::store::columnar
