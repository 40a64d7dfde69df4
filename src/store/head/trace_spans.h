// SPDX-License-Identifier: Apache-2.0
//
// The spans of one trace as a value: a reader keeps the value it got while the writer goes on to a longer one.

#pragma once

#include <absl/container/inlined_vector.h>
#include <absl/functional/function_ref.h>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "store/span.h"

namespace spanloom::store::head {

// A value; copies share the spans, which are immutable. Spans are kept in blocks, each at least twice as long as the
// next, so that there are O(log n) of them and adding costs O(log n) copies of a StoredSpan (48 bytes, never its bytes)
// a span, amortised. Thread-compatible; copies may be used on different threads.
class TraceSpans {
 public:
  // Adds `spans`, of which there must be any, behind the others; they are moved out of.
  void Append(std::span<StoredSpan> spans);

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  // The span that arrived as number `index`, [0, size()). O(log n).
  [[nodiscard]] const StoredSpan& at(size_t index) const;

  // True if `later` came to be by adding to this, and not by taking spans out of it as well.
  [[nodiscard]] bool IsBeginningOf(const TraceSpans& later) const;

  // Visits the spans in order of arrival until `visit` returns false.
  void ForEach(absl::FunctionRef<bool(const StoredSpan&)> visit) const;

  // By start time, then in order of arrival. O(n log n).
  [[nodiscard]] std::vector<StoredSpan> ByStart() const;

 private:
  struct Block {
    std::shared_ptr<const StoredSpan[]> spans;  // [size], in order of arrival; shared with the values before and after
    size_t size = 0;

    [[nodiscard]] std::span<const StoredSpan> view() const { return {spans.get(), size}; }
  };

  absl::InlinedVector<Block, 1> blocks_;
  size_t size_ = 0;  // spans
};

}  // namespace spanloom::store::head
