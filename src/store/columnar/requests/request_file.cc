// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/requests/request_file.h"

#include <absl/strings/str_format.h>

#include <limits>
#include <utility>

#include "base/text.h"
#include "store/columnar/requests/request_layout.h"
#include "store/columnar/segment/byte_reader.h"

namespace spanloom::store::columnar {
namespace {

Status Damaged(std::string_view what) {
  return absl::DataLossError(StrCat("request rows: ", what));
}

// Where the index lies. Errors: as RequestFile::Open.
StatusOr<BlockRef> FindIndex(const disk::File& file) {
  ASSIGN_OR_RETURN(const uint64_t size, file.Size());
  if (size < kRequestHeaderBytes + kRequestFooterBytes) return Damaged("the file ends early");
  ASSIGN_OR_RETURN(const Block header, ReadParts(file, {.offset = 0, .bytes = kRequestHeaderBytes}));
  ASSIGN_OR_RETURN(const Block footer,
                   ReadParts(file, {.offset = size - kRequestFooterBytes, .bytes = kRequestFooterBytes}));
  if (!header.view().starts_with(kRequestHeaderMagic) || !footer.view().ends_with(kRequestFooterMagic)) {
    return Damaged("the file does not begin and end as one of them does");
  }
  ByteReader head(header.view());
  head.Bytes(kRequestHeaderMagic.size());
  const uint16_t version = head.U16();
  const bool has_zeros = head.U16() == 0 && head.U32() == 0;
  ByteReader foot(footer.view());
  BlockRef index = {.offset = foot.U64(), .bytes = foot.U64()};
  index.crc = foot.U32();
  if (foot.U16() != version || foot.U16() != 0 || !has_zeros) return Damaged("the file does not say its version");
  if (version != kRequestFileVersion) return absl::FailedPreconditionError("request rows of another version");
  const uint64_t end = size - kRequestFooterBytes;
  if (index.offset < kRequestHeaderBytes || !index.LiesWithin(end) || index.offset + index.bytes != end) {
    return Damaged("the footer does not name an index");
  }
  return index;
}

// The chunk behind `next`, which says where it begins. `reader` fails if it says what can't be.
RequestChunkRef ReadChunkRef(const RequestChunkRef& next, ByteReader& reader) {
  RequestChunkRef chunk = next;
  chunk.traces = static_cast<uint32_t>(reader.Below(kChunkTraces + 1));
  chunk.rows = static_cast<uint32_t>(reader.Below(kRequestChunkRows + 1));
  chunk.uncovered = static_cast<uint32_t>(reader.Below(uint64_t{chunk.traces} + 1));
  chunk.first_arrival_unix_ns = reader.Varint();
  const uint64_t more = reader.Varint();
  chunk.last_arrival_unix_ns = chunk.first_arrival_unix_ns + more;
  chunk.block.bytes = reader.Varint();
  chunk.block.crc = reader.U32();
  const bool is_of_one_chunk =
      chunk.first_trace / kChunkTraces == (chunk.first_trace + chunk.traces - 1) / kChunkTraces;
  if (chunk.traces == 0 || !is_of_one_chunk || chunk.last_arrival_unix_ns < more) reader.Fail();
  return chunk;
}

// `end`: where the index begins, and the last chunk ends.
StatusOr<RequestFileIndex> ReadIndex(std::string_view content, uint64_t end) {
  ByteReader reader(content);
  RequestFileIndex index;
  index.segment = {
      .id = reader.Varint(), .bytes = reader.Varint(), .spans = reader.Varint(), .traces = reader.Varint()};
  index.anatomy_version = static_cast<uint32_t>(reader.Below(uint64_t{1} << 32));
  index.derived_unix_ns = reader.Varint();
  index.chunks.resize(reader.Count());
  RequestChunkRef next;
  next.block.offset = kRequestHeaderBytes;
  for (RequestChunkRef& chunk : index.chunks) {
    chunk = ReadChunkRef(next, reader);
    if (!chunk.block.LiesWithin(end)) reader.Fail();
    next.first_trace = chunk.first_trace + chunk.traces;
    next.block.offset = chunk.block.offset + chunk.block.bytes;
    if (!reader.ok()) break;
  }
  const bool is_whole = reader.AtEnd() && next.block.offset == end && next.first_trace == index.segment.traces;
  if (!is_whole) return Damaged("the index says what can't be");
  return index;
}

}  // namespace

uint64_t RequestFileIndex::rows() const {
  uint64_t rows = 0;
  for (const RequestChunkRef& chunk : chunks) rows += chunk.rows;
  return rows;
}

uint64_t RequestFileIndex::uncovered() const {
  uint64_t uncovered = 0;
  for (const RequestChunkRef& chunk : chunks) uncovered += chunk.uncovered;
  return uncovered;
}

std::string RequestFileName(uint64_t segment_id) {
  return absl::StrFormat("%016x.req", segment_id);
}

StatusOr<std::shared_ptr<const RequestFile>> RequestFile::Open(std::unique_ptr<disk::File> file,
                                                               const SegmentIdentity& segment,
                                                               std::optional<uint32_t> anatomy_version) {
  ASSIGN_OR_RETURN(const BlockRef block, FindIndex(*file));
  ASSIGN_OR_RETURN(const Block content, ReadBlock(*file, block));
  ASSIGN_OR_RETURN(RequestFileIndex index, ReadIndex(content.view(), block.offset));
  if (index.segment != segment) return Damaged("they are those of another segment");
  if (anatomy_version && index.anatomy_version != *anatomy_version) {
    return absl::FailedPreconditionError("request rows of another anatomy");
  }
  return std::shared_ptr<const RequestFile>(new RequestFile(std::move(file), std::move(index)));
}

StatusOr<RequestChunk> RequestFile::ReadChunk(const RequestChunkRef& chunk) const {
  ASSIGN_OR_RETURN(Block block, ReadBlock(*file_, chunk.block));
  return RequestChunk::Parse(std::move(block), chunk);
}

}  // namespace spanloom::store::columnar
