// SPDX-License-Identifier: Apache-2.0
//
// The spans of one trace as an immutable value: a reader keeps the value it got while the writer goes on to a longer
// one.

#pragma once

#include <absl/container/inlined_vector.h>
#include <absl/functional/function_ref.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "store/span.h"

namespace spanloom::store::head {

// Immutable. Spans are kept in blocks, each at least twice as long as the next, so that there are O(log n) of them and
// adding costs O(log n) copies of a StoredSpan (48 bytes, never its bytes) a span, amortised.
class TraceSpans {
 public:
  using Block = std::vector<StoredSpan>;  // in order of arrival

  // No spans.
  TraceSpans() = default;
  // The same, shared by all that have none yet.
  static const std::shared_ptr<const TraceSpans>& None();

  // The spans of `earlier` followed by those of `block`, which must not be empty.
  TraceSpans(const TraceSpans& earlier, Block block);

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
  absl::InlinedVector<std::shared_ptr<const Block>, 1> blocks_;  // shared with the values before and after this one
  size_t size_ = 0;                                              // spans
};

}  // namespace spanloom::store::head
