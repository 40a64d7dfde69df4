// SPDX-License-Identifier: Apache-2.0
//
// Texts that do not repeat, once for each trace that has them, while a segment is written. Format:
// docs/formats/segment.md, "Text" and the section `pool`.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "store/columnar/segment/segment_sink.h"
#include "store/columnar/segment/text_template.h"

namespace spanloom::store::columnar {

// A chunk of pool entries.
struct PoolChunkRef {
  uint64_t first_entry = 0;
  uint32_t entries = 0;
  BlockRef block = {};
};

// Thread-compatible. Borrows the texts until EndPage.
class TextPool {
 public:
  static constexpr size_t kChunkEntriesMax = 4096;
  static constexpr size_t kChunkBytesMax = 64 << 10;  // of plain texts; guess

  explicit TextPool(SegmentSink& sink) : sink_(sink) {}

  // What Code() answers counts from here on.
  void BeginTrace();

  // The number of the text among those of the trace.
  uint64_t Code(std::string_view text);

  // The texts that came need not stay where they are from here on. The trace may go on.
  void EndPage();

  // Writes what is left.
  void Finish();

  [[nodiscard]] uint64_t entries() const { return entries_; }
  // [BeginTrace calls]: where the entries of each trace begin.
  [[nodiscard]] const std::vector<uint64_t>& first_entries() const { return first_entries_; }
  // The section that says where the chunks are.
  [[nodiscard]] std::string IndexSection() const;

 private:
  struct Group {
    uint32_t pattern = 0;
    std::string payload;
    std::vector<uint64_t> lengths;  // of plain texts
    uint64_t entries = 0;
  };
  static constexpr size_t kLinearMax = 8;  // so many texts of a trace are compared one by one; guess

  void AddEntry(std::string_view text);
  Group& GroupOf(uint32_t pattern);
  void WriteChunk();

  SegmentSink& sink_;
  TemplateTable templates_;
  std::vector<PoolChunkRef> chunks_;
  uint64_t entries_ = 0;
  uint64_t first_entry_ = 0;  // of the trace
  std::vector<uint64_t> first_entries_;

  std::vector<std::string_view> texts_;                      // of the trace
  absl::flat_hash_map<std::string_view, uint64_t> numbers_;  // of the trace, once there are more than kLinearMax
  std::vector<std::string_view> borrowed_;                   // the trace's texts of this page
  std::deque<std::string> kept_;                             // copies of those of earlier pages; stay where they are

  // The chunk under way.
  std::vector<uint64_t> codes_;  // [entries]: the number of each one's group
  std::vector<Group> groups_;
  std::string payload_;
  size_t plain_bytes_ = 0;
};

}  // namespace spanloom::store::columnar
