// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/text_pool_index.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "store/columnar/segment/compressed.h"
#include "store/columnar/segment/slice_ref.h"

namespace spanloom::store::columnar {
namespace {

constexpr uint64_t kPlainBytesMax = uint64_t{1} << 30;  // of a chunk; a text is at most as long as a request

}  // namespace

PoolIndex::PoolIndex(uint64_t file_bytes, ByteReader& reader) {
  templates_.reserve(reader.Count());
  for (size_t left = templates_.capacity(); left > 0 && reader.ok(); --left) {
    templates_.emplace_back(std::string(reader.Text()));
  }
  for (uint64_t left = reader.Count(); left > 0 && reader.ok(); --left) {
    PoolChunkRef chunk = {.first_entry = entries_};
    chunk.entries = static_cast<uint32_t>(reader.Below(TextPool::kChunkEntriesMax + 1));
    chunk.block = {.offset = reader.Varint(), .bytes = reader.Varint()};
    chunk.block.crc = reader.U32();
    if (chunk.entries == 0 || !chunk.block.LiesWithin(file_bytes)) reader.Fail();
    entries_ += chunk.entries;
    chunks_.push_back(chunk);
  }
}

const PoolChunkRef& PoolIndex::ChunkOf(uint64_t entry) const {
  CHECK(entry < entries_);
  const auto after = std::ranges::upper_bound(chunks_, entry, {}, &PoolChunkRef::first_entry);
  return *(after - 1);
}

StatusOr<std::unique_ptr<PoolChunk>> PoolChunk::Read(const disk::File& file, const PoolIndex& index,
                                                     const PoolChunkRef& ref) {
  auto chunk = std::make_unique<PoolChunk>();
  ASSIGN_OR_RETURN(chunk->block_, ReadBlock(file, ref.block));
  chunk->first_entry_ = ref.first_entry;
  chunk->places_.resize(ref.entries);
  ByteReader reader(chunk->block_.view());
  if (!chunk->Parse(index, reader) || !reader.AtEnd()) {
    return absl::DataLossError(StrCat("the pool chunk at ", ref.block.offset, " is not well formed"));
  }
  return chunk;
}

bool PoolChunk::Parse(const PoolIndex& index, ByteReader& reader) {
  groups_.resize(reader.Count());
  for (Group& group : groups_) {
    const uint64_t pattern = reader.Below(index.templates().size());
    group.entries = static_cast<uint32_t>(reader.Below(places_.size() + 1));
    if (!reader.ok()) return false;
    group.pattern = &index.templates()[pattern];
  }
  if (!ParseCodes(reader)) return false;
  return std::ranges::all_of(groups_, [&](Group& group) {
    const size_t bytes = group.pattern->payload_bytes();
    if (bytes == 0) return ParsePlain(group, reader);
    group.fixed = reader.Bytes(bytes * group.entries);
    return reader.ok();
  });
}

bool PoolChunk::ParseCodes(ByteReader& reader) {
  std::vector<uint64_t> codes;
  ReadSlice(places_.size(), reader, codes);
  if (!reader.ok()) return false;
  std::vector<uint32_t> next(groups_.size());
  for (size_t i = 0; i < codes.size(); ++i) {
    if (codes[i] >= groups_.size()) return false;
    const auto group = static_cast<uint32_t>(codes[i]);
    if (next[group] >= groups_[group].entries) return false;
    places_[i] = {.group = group, .index = next[group]++};
  }
  return true;
}

bool PoolChunk::ParsePlain(Group& group, ByteReader& reader) {
  std::vector<uint64_t> lengths;
  ReadSlice(group.entries, reader, lengths);
  const uint64_t raw_bytes = reader.Below(kPlainBytesMax);
  const std::string_view stored = reader.Bytes(reader.Varint());
  if (!reader.ok()) return false;
  StatusOr<std::string> payload = Decompress(stored, raw_bytes);
  if (!payload.ok()) return false;
  group.payload = *std::move(payload);
  group.offsets = {0};
  for (const uint64_t length : lengths) {
    if (length > group.payload.size() - group.offsets.back()) return false;
    group.offsets.push_back(group.offsets.back() + length);
  }
  return true;
}

void PoolChunk::AppendText(uint64_t entry, std::string& out) const {
  const Place place = places_[entry - first_entry_];
  const Group& group = groups_[place.group];
  const size_t bytes = group.pattern->payload_bytes();
  if (bytes > 0) return group.pattern->Expand(group.fixed.substr(place.index * bytes, bytes), out);
  const uint64_t begin = group.offsets[place.index];
  out.append(group.payload, begin, group.offsets[place.index + 1] - begin);
}

}  // namespace spanloom::store::columnar
