// SPDX-License-Identifier: Apache-2.0
//
// Where the spans of a store are at one moment: in segments, and in one or two heads. A trace may lie in several parts.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "otlp/ids.h"
#include "store/columnar/segment.h"
#include "store/head/trace_table.h"

namespace spanloom::store::columnar {

// Traces that lie in several parts, or may, or did once. Thread-safe. A trace is added before its spans come to a
// second part.
class SplitTraces {
 public:
  void Add(const otlp::TraceId& id) {
    const MutexLock lock(mutex_);
    more_.try_emplace(id, 0);
  }
  // Notes that the trace lies in so many parts beside the first.
  void AddParts(const otlp::TraceId& id, uint64_t parts) {
    const MutexLock lock(mutex_);
    more_[id] += parts;
    total_ += parts;
  }
  // The trace was removed from all parts. It stays known: who reads older parts must not miss any.
  void ForgetParts(const otlp::TraceId& id) {
    const MutexLock lock(mutex_);
    const auto found = more_.find(id);
    if (found != more_.end()) total_ -= std::exchange(found->second, 0);
  }
  [[nodiscard]] bool Contains(const otlp::TraceId& id) const {
    const MutexLock lock(mutex_);
    return more_.contains(id);
  }
  // By how much the traces of all parts together exceed the traces that there are.
  [[nodiscard]] uint64_t excess() const {
    const MutexLock lock(mutex_);
    return total_;
  }

 private:
  mutable Mutex mutex_;
  absl::flat_hash_map<otlp::TraceId, uint64_t> more_ ABSL_GUARDED_BY(mutex_);  // parts beside the first
  uint64_t total_ ABSL_GUARDED_BY(mutex_) = 0;                                 // of more_
};

// A value; what it points to is shared with the store and other questions. Spans of one trace arrived in the order:
// segments as they stand, `full`, `filling`.
struct Parts {
  std::vector<std::shared_ptr<const Segment>> segments;  // by id
  std::shared_ptr<head::LockedTable> full;               // is being written to a segment; null if none is
  std::shared_ptr<head::LockedTable> filling;            // never null
};

}  // namespace spanloom::store::columnar
