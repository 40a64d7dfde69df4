// SPDX-License-Identifier: Apache-2.0
//
// Which pages of a segment have a text that stands in the pool. Format: docs/formats/segment.md, "Text index".

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "store/columnar/segment/byte_reader.h"
#include "store/columnar/segment/hash_filter.h"
#include "store/columnar/segment/lazy.h"
#include "store/columnar/segment/packed.h"
#include "store/columnar/segment/segment_sink.h"
#include "store/disk/disk.h"

namespace spanloom::store::columnar {

// XXH3-64 (xxhash.com, stable since 0.8.0): part of the format.
[[nodiscard]] uint64_t HashOf(std::string_view text);

// A block of the index.
struct TextBlockRef {
  static constexpr size_t kEntriesMax = 1024;  // 2 to 3 KB, read and unpacked in about 3 µs; guess

  uint32_t entries = 0;
  uint64_t before = 0;  // the hash in front of its first one; 0 for the first block
  BlockRef block;
  PackedSlice differences;
  PackedSlice pages;
};

// Collects texts while pages are written. Thread-compatible. 16 bytes an entry.
class TextIndexWriter {
 public:
  // The page has the text, which stays until another page comes. Pages come in order; a text that comes again for its
  // page costs an entry until Finish, unless it is a view that came lately.
  void Add(std::string_view text, uint32_t page);

  // Writes the blocks; returns the section that says where they are.
  [[nodiscard]] std::string Finish(SegmentSink& sink);

 private:
  using Entry = std::pair<uint64_t, uint32_t>;  // hash, page

  static void WriteBlock(std::span<const Entry> entries, uint64_t before, SegmentSink& sink, std::string& section);

  std::vector<Entry> entries_;
  std::array<std::string_view, 8> last_;  // of the page that the last entry is of
  size_t next_last_ = 0;
};

// Thread-safe. About 80 bytes a block in memory, and 12 bits an entry from the first question on.
class TextIndex {
 public:
  TextIndex() = default;
  // `reader` fails if it says what can't be.
  TextIndex(uint64_t file_bytes, ByteReader& reader);

  // The pages that may have the text, ascending: all that have it, and with a chance of about 1 in 1,000 another. The
  // first question reads all blocks; later ones none where the text is not there, nearly always, else one or two.
  // Errors: kDataLoss, those of the disk.
  [[nodiscard]] StatusOr<std::vector<uint32_t>> PagesOf(std::string_view text, const disk::File& file) const;

  // False: no page has a text with that HashOf. True may be wrong, of one in 50 that are not there.
  [[nodiscard]] bool MayHave(uint64_t hash, const disk::File& file) const;

  // Reads every block. Errors: those of PagesOf.
  [[nodiscard]] Status Check(const disk::File& file) const;

  [[nodiscard]] const std::vector<TextBlockRef>& blocks() const { return blocks_; }

 private:
  Status AddPages(const TextBlockRef& ref, uint64_t hash, const disk::File& file, std::vector<uint32_t>& pages) const;

  [[nodiscard]] std::unique_ptr<const HashFilter> MakeFilter(const disk::File& file) const;
  Status AddHashes(const TextBlockRef& ref, const disk::File& file, std::vector<uint64_t>& hashes) const;

  uint8_t bits_ = 0;  // of a hash, the highest of 64
  std::vector<TextBlockRef> blocks_;
  std::unique_ptr<Lazy<HashFilter>> filter_ = std::make_unique<Lazy<HashFilter>>();  // null: blocks can't be read
};

}  // namespace spanloom::store::columnar
