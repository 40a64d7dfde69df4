// SPDX-License-Identifier: Apache-2.0
//
// Which traces lie in several parts of a store: who reads one of them looks everywhere, who reads another does not.

#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/mutex.h"
#include "otlp/ids.h"

namespace spanloom::store::columnar {

// A trace that lies in fewer parts than before.
struct JoinedTrace {
  otlp::TraceId id;
  uint64_t parts_fewer = 0;
};

// Traces that lie in several parts, or may, or did for someone who still reads older parts. Thread-safe. A trace is
// added before its spans come to a second part.
class SplitTraces {
 public:
  void Add(const otlp::TraceId& id);
  // Notes that the trace lies in so many parts beside the first.
  void AddParts(const otlp::TraceId& id, uint64_t parts);
  // The trace was removed from all parts. It stays known.
  void ForgetParts(const otlp::TraceId& id);
  // Notes that parts were merged. The traces stay known.
  void Join(std::span<const JoinedTrace> joined);

  // Those of `ids` that lie in one part or in none now: they can go, together, with Drop(), unless one is added again
  // before. `occasion` is not 0, and another one each time.
  std::vector<otlp::TraceId> MarkWhole(std::span<const otlp::TraceId> ids, uint64_t occasion);
  // Nobody reads parts any more in which one of these that were marked was split.
  void Drop(std::span<const otlp::TraceId> ids, uint64_t occasion);

  [[nodiscard]] bool Contains(const otlp::TraceId& id) const;
  // Those that are known now.
  [[nodiscard]] absl::flat_hash_set<otlp::TraceId> Ids() const;
  // By how much the traces of all parts together exceed the traces that there are. Of parts of before, whose heads have
  // got spans since: with what taken_back() was then.
  [[nodiscard]] uint64_t excess() const { return ExcessOf(taken_back()); }
  [[nodiscard]] uint64_t ExcessOf(uint64_t taken_back) const;
  [[nodiscard]] uint64_t taken_back() const;
  [[nodiscard]] size_t size() const;

 private:
  struct Entry {
    uint64_t parts = 0;      // beside the first
    uint64_t marked_at = 0;  // the occasion; 0: it is to stay
  };

  mutable Mutex mutex_;
  absl::flat_hash_map<otlp::TraceId, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  // Sum of all Entry::parts, as what was added, ever, and what was taken back.
  uint64_t added_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t taken_back_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace spanloom::store::columnar
