// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/inspect/request_check.h"

#include "base/text.h"
#include "store/columnar/segment/trace_table_reader.h"

namespace spanloom::store::columnar {
namespace {

Status CheckTrace(const TracePlace& place, const RequestChunk& chunk, size_t trace) {
  if (!chunk.IsCovered(trace)) return absl::OkStatus();
  const auto [begin, end] = chunk.RowsOf(trace);
  for (uint32_t row = begin; row < end; ++row) {
    if (chunk.PlaceOf(row).value_or(0) < place.rows()) continue;
    return absl::DataLossError(StrCat("a request of trace ", place.id().Hex(), " is of a span that it does not have"));
  }
  return absl::OkStatus();
}

}  // namespace

Status CheckRequests(const SegmentReader& segment, const RequestFile& requests) {
  TraceTableReader table(segment);
  for (const RequestChunkRef& ref : requests.index().chunks) {
    ASSIGN_OR_RETURN(const RequestChunk chunk, requests.ReadChunk(ref));
    ASSIGN_OR_RETURN(const std::vector<TracePlace>* const places, table.Chunk(ref.first_trace / kChunkTraces));
    for (size_t i = 0; i < ref.traces; ++i) {
      RETURN_IF_ERROR(CheckTrace((*places)[ref.first_trace % kChunkTraces + i], chunk, i));
    }
  }
  return absl::OkStatus();
}

}  // namespace spanloom::store::columnar
