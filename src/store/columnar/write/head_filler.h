// SPDX-License-Identifier: Apache-2.0
//
// Adds the spans of requests to the head that fills, each once: what an older part has already is left out.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/status.h"
#include "otlp/ids.h"
#include "store/columnar/parts/parts_table.h"
#include "store/columnar/write/earlier_spans.h"
#include "store/head/followed_spans.h"
#include "store/head/incoming.h"

namespace spanloom::store::columnar {

// Sequence-bound, but for what may be read from any thread. All that it is given must outlive it.
class HeadFiller {
 public:
  // What is added is told to `recent`.
  HeadFiller(PartsTable& parts, head::FollowedSpans& recent) : parts_(parts), recent_(recent) {}

  // `bytes`: what the request keeps in memory, at most.
  void Add(head::IncomingBatch batch, size_t bytes);

  // To be told when the heads were exchanged.
  void OnExchanged();

  // To be told when older parts may have fewer spans than before: what was removed is new when it comes again.
  void OnRemoved();

  // Spans that came again with the same bytes, ever; from any thread.
  [[nodiscard]] uint64_t duplicates() const { return duplicates_; }
  // Bytes of the requests that the filling head holds spans of; from any thread.
  [[nodiscard]] size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint64_t spans() const { return spans_; }

 private:
  // Of a trace that older parts have as well.
  struct Split {
    std::optional<EarlierSpans> earlier;  // nullopt: to be read again
    bool is_in_head = false;
  };

  // Takes out the spans that an older part has already, and notes if the trace lies there. Errors: those of
  // EarlierSpans; then all spans are still there.
  Status LeaveOutStored(const Parts& parts, const head::IncomingBatch& batch, head::IncomingTrace& trace);

  // Adds what is left to the filling head of `parts`.
  void AddToHead(const Parts& parts, head::IncomingBatch& batch, size_t bytes);

  PartsTable& parts_;
  head::FollowedSpans& recent_;
  std::atomic<uint64_t> duplicates_ = 0;
  // Of the filling head.
  std::atomic<size_t> bytes_ = 0;
  uint64_t spans_ = 0;
  absl::flat_hash_map<otlp::TraceId, Split> splits_;
};

}  // namespace spanloom::store::columnar
