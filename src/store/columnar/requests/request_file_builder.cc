// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/requests/request_file_builder.h"

#include <string>

#include "base/check.h"
#include "store/columnar/requests/request_layout.h"
#include "store/columnar/segment/byte_writer.h"

namespace spanloom::store::columnar {
namespace {

void WriteFixed(uint16_t version, std::string& out) {
  ByteWriter writer(out);
  writer.U16(version);
  writer.U16(0);
}

std::string EncodeIndex(const RequestFileIndex& index) {
  std::string out;
  ByteWriter writer(out);
  for (const uint64_t number : {index.segment.id, index.segment.bytes, index.segment.spans, index.segment.traces,
                                uint64_t{index.anatomy_version}, index.derived_unix_ns, index.chunks.size()}) {
    writer.Varint(number);
  }
  for (const RequestChunkRef& chunk : index.chunks) {
    writer.Varint(chunk.traces);
    writer.Varint(chunk.rows);
    writer.Varint(chunk.uncovered);
    writer.Varint(chunk.first_arrival_unix_ns);
    writer.Varint(chunk.last_arrival_unix_ns - chunk.first_arrival_unix_ns);
    writer.Varint(chunk.block.bytes);
    writer.U32(chunk.block.crc);
  }
  return out;
}

}  // namespace

RequestFileBuilder::RequestFileBuilder(const SegmentIdentity& segment, uint32_t anatomy_version, disk::File& file)
    : index_{.segment = segment, .anatomy_version = anatomy_version}, sink_(file) {
  std::string header(kRequestHeaderMagic);
  WriteFixed(kRequestFileVersion, header);
  header.resize(kRequestHeaderBytes);
  sink_.Append(header);
}

void RequestFileBuilder::AddUncovered() {
  chunk_.AddUncovered();
  EndChunkIfFull();
}

void RequestFileBuilder::Add(const TracePlace& trace, std::span<const PlacedRow> rows) {
  DCHECK(trace.number == traces_);
  if (rows.size() > kRequestChunkRows) return AddUncovered();
  if (chunk_.rows() + rows.size() > kRequestChunkRows) EndChunk();
  chunk_.Add(trace, rows);
  EndChunkIfFull();
}

void RequestFileBuilder::EndChunkIfFull() {
  ++traces_;
  if (traces_ % kChunkTraces == 0) EndChunk();
}

void RequestFileBuilder::EndChunk() {
  if (chunk_.traces() == 0) return;
  RequestChunkRef ref;
  const std::string block = chunk_.Take(ref);
  ref.block = sink_.Append(block);
  index_.chunks.push_back(ref);
}

StatusOr<uint64_t> RequestFileBuilder::Finish(uint64_t derived_unix_ns) {
  CHECK(traces_ == index_.segment.traces);
  EndChunk();
  index_.derived_unix_ns = derived_unix_ns;
  const BlockRef block = sink_.Append(EncodeIndex(index_));
  std::string footer;
  ByteWriter writer(footer);
  writer.U64(block.offset);
  writer.U64(block.bytes);
  writer.U32(block.crc);
  WriteFixed(kRequestFileVersion, footer);
  footer.append(kRequestFooterMagic);
  sink_.Append(footer);
  RETURN_IF_ERROR(sink_.Flush());
  return index_.rows();
}

}  // namespace spanloom::store::columnar
