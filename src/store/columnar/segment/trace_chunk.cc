// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/trace_chunk.h"

#include <limits>

#include "store/columnar/segment/byte_writer.h"
#include "store/columnar/segment/slice_ref.h"

namespace spanloom::store::columnar {
namespace {

constexpr uint64_t kForEver = std::numeric_limits<uint64_t>::max();

}  // namespace

uint64_t TraceChunkRef::last_start_bound() const {
  const uint64_t start = slots[static_cast<size_t>(TraceSlot::kStart)].max();
  const uint64_t more = slots[static_cast<size_t>(TraceSlot::kLastStart)].max();
  return start > kForEver - more ? kForEver : start + more;
}

TraceChunkRef WriteTraceChunk(std::span<const TraceEntry> traces, SegmentSink& sink) {
  TraceChunkRef chunk;
  chunk.traces = static_cast<uint32_t>(traces.size());
  std::string block;
  std::vector<uint64_t> values(traces.size());
  for (size_t slot = 0; slot < kTraceSlots; ++slot) {
    for (size_t i = 0; i < traces.size(); ++i) values[i] = traces[i].values[slot];
    chunk.offsets[slot] = static_cast<uint32_t>(block.size());
    chunk.slots[slot] = Pack(values, block);
  }
  chunk.block = sink.Append(block);
  return chunk;
}

void WriteTraceChunkRef(const TraceChunkRef& chunk, std::string& out) {
  ByteWriter writer(out);
  writer.Varint(chunk.first_row);
  writer.Varint(chunk.first_pool);
  writer.Varint(chunk.traces);
  writer.Varint(chunk.block.offset);
  writer.U32(chunk.block.crc);
  for (const PackedSlice& slot : chunk.slots) WriteSliceRef(slot, 0, out);
}

TraceChunkRef ReadTraceChunkRef(uint64_t file_bytes, ByteReader& reader) {
  TraceChunkRef chunk;
  chunk.first_row = reader.Varint();
  chunk.first_pool = reader.Varint();
  chunk.traces = static_cast<uint32_t>(reader.Below(kChunkTraces + 1));
  chunk.block.offset = reader.Varint();
  chunk.block.crc = reader.U32();
  for (size_t slot = 0; slot < kTraceSlots; ++slot) {
    uint8_t place = 0;
    chunk.slots[slot] = ReadSliceRef(place, reader);
    chunk.offsets[slot] = static_cast<uint32_t>(chunk.block.bytes);
    chunk.block.bytes += PackedBytes(chunk.traces, chunk.slots[slot].width);
  }
  if (chunk.traces == 0 || !chunk.block.LiesWithin(file_bytes)) reader.Fail();
  return chunk;
}

}  // namespace spanloom::store::columnar
