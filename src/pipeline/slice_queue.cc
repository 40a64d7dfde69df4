// SPDX-License-Identifier: Apache-2.0

#include "pipeline/slice_queue.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace spanloom::pipeline {
namespace {

// How many of `spans` spans that cost `bytes` fit into `room` bytes.
size_t SpansWithin(size_t spans, size_t bytes, size_t room) {
  if (bytes <= room) return spans;
  return static_cast<size_t>(static_cast<unsigned __int128>(spans) * room / bytes);
}

}  // namespace

void SliceQueue::Push(otlp::Batch batch) {
  for (otlp::Slice& slice : batch.slices()) {
    if (slice.span_count() == 0) continue;
    const size_t bytes = slice.held_bytes();
    span_count_ += slice.span_count();
    wire_bytes_ += bytes;
    entries_.push_back({std::move(slice), bytes});
  }
}

otlp::Slice SliceQueue::SplitFront(size_t spans) {
  Entry& front = entries_.front();
  const size_t head_bytes = front.bytes * spans / front.slice.span_count();
  otlp::Slice head = front.slice.TakeFront(spans);
  front.bytes -= head_bytes;
  span_count_ -= spans;
  wire_bytes_ -= head_bytes;
  return head;
}

otlp::Batch SliceQueue::Take(size_t spans_max, size_t bytes_max) {
  DCHECK(!empty());
  otlp::Batch batch;
  size_t spans_left = std::max<size_t>(1, spans_max);
  size_t bytes_left = bytes_max;
  while (!entries_.empty() && spans_left > 0) {
    Entry& front = entries_.front();
    const size_t front_spans = front.slice.span_count();
    size_t fitting = std::min(spans_left, SpansWithin(front_spans, front.bytes, bytes_left));
    // Only a slice that is too large on its own is split for its bytes.
    const bool first = batch.slices().empty();
    if (!first && fitting < std::min(spans_left, front_spans)) break;
    fitting = std::max<size_t>(1, fitting);
    if (fitting < front_spans) {
      batch.Add(SplitFront(fitting));
      break;
    }
    spans_left -= front_spans;
    bytes_left -= std::min(bytes_left, front.bytes);
    span_count_ -= front_spans;
    wire_bytes_ -= front.bytes;
    batch.Add(std::move(front.slice));
    entries_.pop_front();
  }
  return batch;
}

}  // namespace spanloom::pipeline
