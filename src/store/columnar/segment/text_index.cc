// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/text_index.h"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <span>
#include <utility>

#include "store/columnar/segment/byte_writer.h"
#include "store/columnar/segment/segment_layout.h"
#include "store/columnar/segment/slice_ref.h"

namespace spanloom::store::columnar {
namespace {

constexpr uint8_t kFalseBits = 10;  // one chance in 2^10 that a text which is not there meets an entry
constexpr uint8_t kHashBits = 64;

uint64_t HighBits(uint64_t hash, uint8_t bits) {
  return bits == 0 ? 0 : hash >> (kHashBits - bits);
}

}  // namespace

uint64_t HashOf(std::string_view text) {
  return XXH3_64bits(text.data(), text.size());
}

void TextIndexWriter::Add(std::string_view text, uint32_t page) {
  if (entries_.empty() || entries_.back().second != page) last_.fill({});
  const auto is_same = [text](std::string_view other) {
    return other.data() == text.data() && other.size() == text.size();
  };
  if (!entries_.empty() && !text.empty() && std::ranges::any_of(last_, is_same)) return;
  last_[next_last_++ % last_.size()] = text;
  entries_.emplace_back(HashOf(text), page);
}

std::string TextIndexWriter::Finish(SegmentSink& sink) {
  const auto bits = static_cast<uint8_t>(std::min<size_t>(kHashBits, std::bit_width(entries_.size()) + kFalseBits));
  for (auto& [hash, page] : entries_) hash = HighBits(hash, bits);
  std::ranges::sort(entries_);
  entries_.erase(std::ranges::unique(entries_).begin(), entries_.end());
  std::string section;
  ByteWriter writer(section);
  writer.U8(bits);
  writer.Varint((entries_.size() + TextBlockRef::kEntriesMax - 1) / TextBlockRef::kEntriesMax);
  uint64_t before = 0;
  for (auto rest = std::span<const Entry>(entries_); !rest.empty();) {
    const auto entries = rest.first(std::min(rest.size(), TextBlockRef::kEntriesMax));
    WriteBlock(entries, before, sink, section);
    before = entries.back().first;
    rest = rest.subspan(entries.size());
  }
  return section;
}

void TextIndexWriter::WriteBlock(std::span<const Entry> entries, uint64_t before, SegmentSink& sink,
                                 std::string& section) {
  std::vector<uint64_t> differences;
  std::vector<uint64_t> pages;
  uint64_t last = before;
  for (const auto& [hash, page] : entries) {
    differences.push_back(hash - std::exchange(last, hash));
    pages.push_back(page);
  }
  std::string block;
  const PackedSlice packed_differences = Pack(differences, block);
  const PackedSlice packed_pages = Pack(pages, block);
  const BlockRef ref = sink.Append(block);
  ByteWriter writer(section);
  writer.Varint(entries.size());
  writer.Varint(before);
  writer.Varint(ref.offset);
  writer.U32(ref.crc);
  WriteSliceRef(packed_differences, 0, section);
  WriteSliceRef(packed_pages, 0, section);
}

TextIndex::TextIndex(uint64_t file_bytes, ByteReader& reader) : bits_(reader.U8()) {
  if (bits_ > kHashBits) reader.Fail();
  for (uint64_t left = reader.Count(); left > 0 && reader.ok(); --left) {
    TextBlockRef ref;
    uint8_t place = 0;
    ref.entries = static_cast<uint32_t>(reader.Below(TextBlockRef::kEntriesMax + 1));
    ref.before = reader.Varint();
    ref.block.offset = reader.Varint();
    ref.block.crc = reader.U32();
    ref.differences = ReadSliceRef(place, reader);
    ref.pages = ReadSliceRef(place, reader);
    ref.block.bytes = PackedBytes(ref.entries, ref.differences.width) + PackedBytes(ref.entries, ref.pages.width);
    const bool is_in_order = blocks_.empty() || blocks_.back().before <= ref.before;
    if (ref.entries == 0 || !is_in_order || !ref.block.LiesWithin(file_bytes)) reader.Fail();
    blocks_.push_back(ref);
  }
}

// Null if a block can't be read: who needs that block is told.
std::unique_ptr<const HashFilter> TextIndex::MakeFilter(const disk::File& file) const {
  std::vector<uint64_t> hashes;
  for (const TextBlockRef& ref : blocks_) {
    if (!AddHashes(ref, file, hashes).ok()) return nullptr;
  }
  auto filter = std::make_unique<HashFilter>(hashes.size());
  for (const uint64_t hash : hashes) filter->Add(hash);
  return filter;
}

bool TextIndex::MayHave(uint64_t hash, const disk::File& file) const {
  const HashFilter* const filter = filter_->Get([&] { return MakeFilter(file); });
  return filter == nullptr || filter->MayHave(HighBits(hash, bits_));
}

Status TextIndex::AddHashes(const TextBlockRef& ref, const disk::File& file, std::vector<uint64_t>& hashes) const {
  ASSIGN_OR_RETURN(const Block block, ReadBlock(file, ref.block));
  std::vector<uint64_t> differences(ref.entries);
  Unpack(ref.differences, block.data(), 0, ref.entries, differences.data());
  uint64_t at = ref.before;
  for (const uint64_t difference : differences) {
    at += difference;
    if (hashes.empty() || hashes.back() != at) hashes.push_back(at);
  }
  return absl::OkStatus();
}

StatusOr<std::vector<uint32_t>> TextIndex::PagesOf(std::string_view text, const disk::File& file) const {
  std::vector<uint32_t> pages;
  if (!MayHave(HashOf(text), file)) return pages;
  const uint64_t hash = HighBits(HashOf(text), bits_);
  // Entries of one hash may begin at the end of a block, and go on in the next ones.
  auto block = std::ranges::lower_bound(blocks_, hash, {}, &TextBlockRef::before);
  if (block != blocks_.begin()) --block;
  for (; block != blocks_.end() && block->before <= hash; ++block) {
    RETURN_IF_ERROR(AddPages(*block, hash, file, pages));
  }
  std::ranges::sort(pages);
  pages.erase(std::ranges::unique(pages).begin(), pages.end());
  return pages;
}

Status TextIndex::Check(const disk::File& file) const {
  for (const TextBlockRef& ref : blocks_) RETURN_IF_ERROR(ReadBlock(file, ref.block).status());
  return absl::OkStatus();
}

Status TextIndex::AddPages(const TextBlockRef& ref, uint64_t hash, const disk::File& file,
                           std::vector<uint32_t>& pages) const {
  ASSIGN_OR_RETURN(const Block block, ReadBlock(file, ref.block));
  std::vector<uint64_t> differences(ref.entries);
  Unpack(ref.differences, block.data(), 0, ref.entries, differences.data());
  const char* const page_payload = block.data() + PackedBytes(ref.entries, ref.differences.width);
  uint64_t at = ref.before;
  for (size_t i = 0; i < differences.size() && at <= hash; ++i) {
    at += differences[i];
    if (at == hash) pages.push_back(static_cast<uint32_t>(UnpackOne(ref.pages, page_payload, i)));
  }
  return absl::OkStatus();
}

}  // namespace spanloom::store::columnar
