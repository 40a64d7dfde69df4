// SPDX-License-Identifier: Apache-2.0
//
// Where the spans of a store are at one moment: in segments, and in one or two heads. A trace may lie in several parts.

#pragma once

#include <absl/container/flat_hash_set.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "otlp/ids.h"
#include "store/columnar/segment.h"
#include "store/head/trace_table.h"

namespace spanloom::store::columnar {

// Traces that lie in several parts, or did once. Thread-safe. A trace is added before its spans come to a second part.
class SplitTraces {
 public:
  void Add(const otlp::TraceId& id) {
    const MutexLock lock(mutex_);
    ids_.insert(id);
  }
  [[nodiscard]] bool Contains(const otlp::TraceId& id) const {
    const MutexLock lock(mutex_);
    return ids_.contains(id);
  }

 private:
  mutable Mutex mutex_;
  absl::flat_hash_set<otlp::TraceId> ids_ ABSL_GUARDED_BY(mutex_);
};

// A value; what it points to is shared with the store and other questions. Spans of one trace arrived in the order:
// segments as they stand, `full`, `filling`.
struct Parts {
  std::vector<std::shared_ptr<const Segment>> segments;  // by id
  std::shared_ptr<head::LockedTable> full;               // is being written to a segment; null if none is
  std::shared_ptr<head::LockedTable> filling;            // never null
};

}  // namespace spanloom::store::columnar
