// SPDX-License-Identifier: Apache-2.0
//
// One FindTraces call of the memory store: looks at candidates, keeps the newest that match. Runs outside the store's
// lock.

#pragma once

#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "store/memory/trace_index.h"
#include "store/span_matcher.h"
#include "store/span_store.h"

namespace spanloom::store::memory {

// Thread-compatible. `query` must outlive it. Keeps query.limit traces at most.
class TraceSearch {
 public:
  explicit TraceSearch(const TraceQuery& query) : query_(query), matcher_(query) {}

  // Looks at the spans of a trace. A trace seen before is replaced: it may have got more spans since.
  void Consider(const Candidate& candidate);

  // True if no trace whose spans of the service start at `latest_start_unix_ns` at the latest can become part of the
  // answer.
  [[nodiscard]] bool IsCompleteAt(uint64_t latest_start_unix_ns) const;

  // The answer, newest first. Copies references to the spans, so it takes time in proportion to them.
  [[nodiscard]] std::vector<Trace> Take() const;

 private:
  using Found = absl::btree_map<TracePosition, std::shared_ptr<const TraceSpans>>;

  const TraceQuery& query_;
  SpanMatcher matcher_;
  Found found_;                                                       // by the latest start of a matching span
  absl::flat_hash_map<otlp::TraceId, uint64_t> found_start_unix_ns_;  // the same, to find a trace in found_
};

}  // namespace spanloom::store::memory
