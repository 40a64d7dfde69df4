// SPDX-License-Identifier: Apache-2.0
//
// One segment of a running store: what the catalogue says of it, its reader, and which of its traces are gone.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/status.h"
#include "store/columnar/catalogue/catalogue.h"
#include "store/columnar/requests/request_file.h"
#include "store/columnar/segment/segment_reader.h"

namespace spanloom::store::columnar {

// Of some traces.
enum class Gone : uint8_t { kNone, kSome, kAll };

// Immutable; shared by the questions that read it (shared_ptr), so that a segment that is replaced meanwhile is read to
// the end.
class Segment {
 public:
  Segment(catalogue::SegmentRow row, std::shared_ptr<const SegmentReader> reader)
      : row_(std::move(row)), reader_(std::move(reader)) {}

  // The same without some traces, beside those that are gone already. `now_ns`: Clock::SteadyNs.
  [[nodiscard]] std::shared_ptr<const Segment> Without(const std::vector<uint64_t>& traces, uint64_t spans,
                                                       int64_t now_ns) const;

  // The same with its request rows.
  [[nodiscard]] std::shared_ptr<const Segment> WithRequests(std::shared_ptr<const RequestFile> requests) const;

  [[nodiscard]] const catalogue::SegmentRow& row() const { return row_; }
  [[nodiscard]] SegmentIdentity identity() const {
    return {.id = row_.id, .bytes = row_.bytes, .spans = row_.spans, .traces = row_.traces};
  }
  // Null as long as they are to be derived from spans.
  [[nodiscard]] const RequestFile* requests() const { return requests_.get(); }
  [[nodiscard]] const SegmentReader& reader() const { return *reader_; }
  [[nodiscard]] bool IsGone(uint64_t trace) const { return !gone_.empty() && gone_[trace]; }
  // Of the traces that have rows in a page. They mostly go in the order in which they stand, so that few pages have
  // some.
  [[nodiscard]] Gone GoneIn(size_t page) const;
  [[nodiscard]] uint64_t traces_left() const { return row_.traces - gone_traces_; }
  [[nodiscard]] uint64_t spans_left() const { return row_.spans - gone_spans_; }
  // What so many of its spans take of the file, in proportion.
  [[nodiscard]] uint64_t BytesOf(uint64_t spans) const { return row_.spans == 0 ? 0 : row_.bytes * spans / row_.spans; }
  [[nodiscard]] uint64_t bytes_left() const { return BytesOf(spans_left()); }
  // Clock::SteadyNs when traces were taken from it last; nullopt: never.
  [[nodiscard]] std::optional<int64_t> shrunk_ns() const { return shrunk_ns_; }

  // The trace, unless it is not there or gone. Errors: those of SegmentReader.
  [[nodiscard]] StatusOr<std::optional<TracePlace>> Find(const otlp::TraceId& id) const;

 private:
  const catalogue::SegmentRow row_;
  const std::shared_ptr<const SegmentReader> reader_;  // shared with the versions of this segment that lack less
  std::vector<bool> gone_;                             // [traces], or empty if none is
  uint64_t gone_traces_ = 0;
  uint64_t gone_spans_ = 0;
  std::optional<int64_t> shrunk_ns_;
  std::shared_ptr<const RequestFile> requests_;  // shared with the same
};

}  // namespace spanloom::store::columnar
