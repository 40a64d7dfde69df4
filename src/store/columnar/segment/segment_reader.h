// SPDX-License-Identifier: Apache-2.0
//
// Reads traces and spans back from a segment file.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "otlp/ids.h"
#include "store/columnar/segment/lazy.h"
#include "store/columnar/segment/page_view.h"
#include "store/columnar/segment/pool_reader.h"
#include "store/columnar/segment/segment_index.h"
#include "store/columnar/segment/span_reader.h"
#include "store/columnar/segment/text_presence.h"
#include "store/columnar/segment/trace_place.h"
#include "store/disk/disk.h"
#include "store/span.h"
#include "store/trace_row.h"

namespace spanloom::store::columnar {

// Thread-safe: immutable but for the file's position, which it does not use. Blocks on the disk. Errors of every call:
// kDataLoss, naming the block, if the file is not what was written; those of the disk.
class SegmentReader {
 public:
  static StatusOr<std::unique_ptr<const SegmentReader>> Open(std::unique_ptr<disk::File> file);

  [[nodiscard]] const SegmentIndex& index() const { return *index_; }

  // The trace with that id; nullopt if there is none, which is nearly always seen without a read.
  [[nodiscard]] StatusOr<std::optional<TracePlace>> Find(const otlp::TraceId& id) const;

  // The first four bytes of an id as a big-endian number: in the order of ids.
  [[nodiscard]] static uint32_t PrefixOf(const otlp::TraceId& id);
  // [traces]: of each id, ascending.
  [[nodiscard]] const std::vector<uint32_t>& prefixes() const { return prefixes_; }
  // Ids that begin so, as far as they can be read, in no order.
  [[nodiscard]] std::vector<otlp::TraceId> IdsWithPrefix(uint32_t prefix) const;

  // A trace by its number.
  [[nodiscard]] StatusOr<TracePlace> TraceAt(uint64_t number) const;
  // All traces of a chunk.
  [[nodiscard]] StatusOr<std::vector<TracePlace>> TracesOf(const TraceChunkRef& chunk) const;

  // The spans of a trace, in its order, as they were added. kResourceExhausted if they take more than `bytes_max`.
  [[nodiscard]] StatusOr<std::vector<StoredSpan>> ReadSpans(const TracePlace& trace, size_t bytes_max) const;

  // The same for traces one after the other, which share what is read for them. `blocks` are this reader's.
  [[nodiscard]] static StatusOr<std::vector<StoredSpan>> ReadSpans(const TracePlace& trace, size_t bytes_max,
                                                                   SegmentBlocks& blocks);
  // To read from. The reader must outlive them.
  [[nodiscard]] SegmentBlocks MakeBlocks() const { return {*file_, *index_}; }

  // One page, to read values from. The reader must outlive it.
  [[nodiscard]] PageView PageAt(size_t page) const { return {*file_, *index_, index_->pages()[page]}; }

  // Texts of its pool. The reader must outlive it.
  [[nodiscard]] PoolReader MakePoolReader() const { return {*file_, index_->pool()}; }

  // The pages that may have the text in their pool, ascending: TextIndex::PagesOf.
  [[nodiscard]] StatusOr<std::vector<uint32_t>> PagesWithText(std::string_view text) const;

  // False: no attribute with that key, of a span, event, link, resource or scope, is the text of which `hash` is
  // HashOf. A few cache lines, once the first question was asked.
  [[nodiscard]] bool MayHaveText(std::string_view key, uint64_t hash) const;

  // Reads all that PagesWithText may ask for.
  [[nodiscard]] Status CheckTextIndex() const { return index_->text_index().Check(*file_); }

  // The row of the trace table.
  [[nodiscard]] TraceRow RowOf(const TracePlace& trace) const;

 private:
  SegmentReader(std::unique_ptr<disk::File> file, std::unique_ptr<const SegmentIndex> index)
      : file_(std::move(file)), index_(std::move(index)) {}

  Status ReadPrefixes();
  // kDataLoss if the trace's rows, its texts or its summary are none that the segment has.
  [[nodiscard]] Status CheckPlace(const TracePlace& place, const TraceChunkRef& chunk) const;

  const std::unique_ptr<disk::File> file_;
  const std::unique_ptr<const SegmentIndex> index_;
  std::vector<uint32_t> prefixes_;  // as SegmentIndex::TraceInOrder
  mutable Lazy<TextPresence> presence_;
};

}  // namespace spanloom::store::columnar
