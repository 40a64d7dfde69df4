// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/text_pool.h"

#include <algorithm>

#include "store/columnar/segment/byte_writer.h"
#include "store/columnar/segment/compressed.h"
#include "store/columnar/segment/slice_ref.h"

namespace spanloom::store::columnar {

void TextPool::BeginTrace() {
  first_entry_ = entries_;
  first_entries_.push_back(entries_);
  texts_.clear();
  numbers_.clear();
  borrowed_.clear();
  kept_.clear();
}

void TextPool::EndPage() {
  for (const std::string_view text : borrowed_) {
    const std::string_view kept = kept_.emplace_back(text);
    std::ranges::replace(texts_, text, kept);
    const auto found = numbers_.find(text);
    if (found == numbers_.end()) continue;
    const uint64_t number = found->second;
    numbers_.erase(found);
    numbers_.emplace(kept, number);
  }
  borrowed_.clear();
}

uint64_t TextPool::Code(std::string_view text) {
  if (texts_.size() <= kLinearMax) {
    const auto found = std::ranges::find_if(texts_, [text](std::string_view other) {
      return other.size() == text.size() && (other.data() == text.data() || other == text);
    });
    if (found != texts_.end()) return static_cast<uint64_t>(found - texts_.begin());
    texts_.push_back(text);
    AddEntry(text);
    if (texts_.size() > kLinearMax) {
      for (size_t i = 0; i < texts_.size(); ++i) numbers_.emplace(texts_[i], i);
    }
    return texts_.size() - 1;
  }
  const auto [found, is_new] = numbers_.try_emplace(text, entries_ - first_entry_);
  if (is_new) AddEntry(text);
  return found->second;
}

TextPool::Group& TextPool::GroupOf(uint32_t pattern) {
  for (size_t i = 0; i < groups_.size(); ++i) {
    if (groups_[i].pattern != pattern) continue;
    codes_.push_back(i);
    return groups_[i];
  }
  codes_.push_back(groups_.size());
  groups_.push_back({.pattern = pattern, .payload = {}, .lengths = {}});
  return groups_.back();
}

void TextPool::AddEntry(std::string_view text) {
  borrowed_.push_back(text);
  payload_.clear();
  const uint32_t pattern = templates_.Split(text, payload_);
  Group& group = GroupOf(pattern);
  group.payload.append(payload_);
  ++group.entries;
  if (pattern == 0) {
    group.lengths.push_back(payload_.size());
    plain_bytes_ += payload_.size();
  }
  ++entries_;
  if (codes_.size() >= kChunkEntriesMax || plain_bytes_ >= kChunkBytesMax) WriteChunk();
}

void TextPool::WriteChunk() {
  std::string chunk;
  ByteWriter writer(chunk);
  writer.Varint(groups_.size());
  for (const Group& group : groups_) {
    writer.Varint(group.pattern);
    writer.Varint(group.entries);
  }
  WriteSlice(codes_, chunk);
  for (const Group& group : groups_) {
    if (group.pattern != 0) {
      chunk.append(group.payload);
      continue;
    }
    WriteSlice(group.lengths, chunk);
    const std::string stored = Compress(group.payload);
    writer.Varint(group.payload.size());
    writer.Varint(stored.size());
    chunk.append(stored);
  }
  chunks_.push_back({.first_entry = entries_ - codes_.size(),
                     .entries = static_cast<uint32_t>(codes_.size()),
                     .block = sink_.Append(chunk)});
  codes_.clear();
  groups_.clear();
  plain_bytes_ = 0;
}

void TextPool::Finish() {
  if (!codes_.empty()) WriteChunk();
}

std::string TextPool::IndexSection() const {
  std::string out;
  ByteWriter writer(out);
  writer.Varint(templates_.patterns().size());
  for (const std::string& pattern : templates_.patterns()) writer.Text(pattern);
  writer.Varint(chunks_.size());
  for (const PoolChunkRef& chunk : chunks_) {
    writer.Varint(chunk.entries);
    writer.Varint(chunk.block.offset);
    writer.Varint(chunk.block.bytes);
    writer.U32(chunk.block.crc);
  }
  return out;
}

}  // namespace spanloom::store::columnar
