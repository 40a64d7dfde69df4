// SPDX-License-Identifier: Apache-2.0
//
// The trace table of a segment: fixed slots for each trace, in chunks. Format: docs/formats/segment.md, "Traces".

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "store/columnar/segment/byte_reader.h"
#include "store/columnar/segment/packed.h"
#include "store/columnar/segment/segment_sink.h"

namespace spanloom::store::columnar {

inline constexpr uint32_t kChunkTraces = 4096;  // guess

// The numbers are the order in the file.
enum class TraceSlot : uint8_t {
  kIdLow,        // the id's first 8 bytes as u64
  kIdHigh,       // its last 8
  kRows,         // spans
  kStart,        // the first start, Unix ns
  kDuration,     // the last end less that; 0 if that is before it
  kLastStart,    // the last start less the first
  kErrors,       // spans whose status is an error
  kOrphans,      // spans whose parent is in no row of the trace
  kSummary,      // number in the section `summaries`
  kPoolEntries,  // of its texts
  kVersion,      // TraceRow::version
};
inline constexpr size_t kTraceSlots = 11;

// One trace. A value.
struct TraceEntry {
  std::array<uint64_t, kTraceSlots> values = {};

  [[nodiscard]] uint64_t operator[](TraceSlot slot) const { return values[static_cast<size_t>(slot)]; }
  [[nodiscard]] uint64_t& operator[](TraceSlot slot) { return values[static_cast<size_t>(slot)]; }
};

struct TraceChunkRef {
  uint64_t first_row = 0;   // of its first trace
  uint64_t first_pool = 0;  // pool entry of its first trace
  uint32_t traces = 0;
  BlockRef block;
  std::array<PackedSlice, kTraceSlots> slots;
  std::array<uint32_t, kTraceSlots> offsets = {};  // of the payloads in the block

  // No trace of the chunk has a span that starts before the first, or after the second; Unix ns.
  [[nodiscard]] uint64_t first_start_bound() const { return slots[static_cast<size_t>(TraceSlot::kStart)].base; }
  [[nodiscard]] uint64_t last_start_bound() const;
};

// Writes the block of a chunk. The first row and entry are to be filled in.
[[nodiscard]] TraceChunkRef WriteTraceChunk(std::span<const TraceEntry> traces, SegmentSink& sink);

void WriteTraceChunkRef(const TraceChunkRef& chunk, std::string& out);
// `reader` fails if it says what can't be.
[[nodiscard]] TraceChunkRef ReadTraceChunkRef(uint64_t file_bytes, ByteReader& reader);

}  // namespace spanloom::store::columnar
