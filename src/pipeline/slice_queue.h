// SPDX-License-Identifier: Apache-2.0
//
// Slices that wait to become batches of a wanted size: what the batch processor holds, and how exporters cut up what
// is too large for their destination.

#pragma once

#include <cstddef>
#include <deque>

#include "otlp/batch.h"

namespace spanloom::pipeline {

// First in, first out. Thread-compatible.
class SliceQueue {
 public:
  // Appends what has spans left.
  void Push(otlp::Batch batch);

  // Removes a batch of at most `spans_max` spans and about `bytes_max` wire bytes from the front, splitting slices
  // where needed, but at least one span. A slice's bytes are taken to be spread evenly over its spans. Must not be
  // empty.
  otlp::Batch Take(size_t spans_max, size_t bytes_max);

  [[nodiscard]] size_t span_count() const { return span_count_; }
  [[nodiscard]] size_t wire_bytes() const { return wire_bytes_; }  // what the slices cost, as an estimate
  [[nodiscard]] bool empty() const { return entries_.empty(); }

 private:
  struct Entry {
    otlp::Slice slice;
    size_t bytes = 0;  // its share of its request
  };

  // The front's first spans, which are removed.
  otlp::Slice SplitFront(size_t spans);

  std::deque<Entry> entries_;
  size_t span_count_ = 0;
  size_t wire_bytes_ = 0;
};

}  // namespace spanloom::pipeline
