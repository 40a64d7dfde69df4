// SPDX-License-Identifier: Apache-2.0
//
// Finds traces without looking at their spans: all of them and those of each service, newest first, so that a query
// with a limit can stop early; and the names of services and operations.

#pragma once

#include <absl/container/btree_set.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/memory/incoming.h"
#include "store/memory/stored_trace.h"
#include "store/span_store.h"

namespace spanloom::store::memory {

// Where a trace stands in the order "newest first": by its latest span start, ties by trace id.
struct TracePosition {
  uint64_t latest_start_unix_ns = 0;
  otlp::TraceId id;
  StoredTrace* trace = nullptr;

  friend bool operator<(const TracePosition& a, const TracePosition& b) {
    if (a.latest_start_unix_ns != b.latest_start_unix_ns) return a.latest_start_unix_ns > b.latest_start_unix_ns;
    return a.id < b.id;
  }
};

using TraceOrder = absl::btree_set<TracePosition>;

struct OperationEntry {
  ServiceEntry* service = nullptr;
  const Operation* operation = nullptr;  // its key in ServiceEntry::operations
  size_t traces = 0;                     // that have it
};

struct ServiceEntry {
  explicit ServiceEntry(std::string service) : name(std::move(service)) {}

  const std::string name;
  TraceOrder traces;  // that have a span of this service, by the latest start of such a span
  std::map<Operation, OperationEntry> operations;
};

// A trace that a query should look at: what is needed of it outside the lock.
struct Candidate {
  otlp::TraceId id;
  uint64_t latest_start_unix_ns = 0;        // of the spans that the index knows to be of the service asked for
  std::shared_ptr<const TraceSpans> spans;  // shared with the store
};

struct CandidatePage {
  std::vector<Candidate> candidates;   // newest first
  std::optional<TracePosition> after;  // where the next page begins; nullopt if there is none
};

// Thread-compatible: guarded by the store's mutex.
class TraceIndex {
 public:
  // Notes a span that was added to `trace`. O(log traces).
  void Add(StoredTrace& trace, const IncomingSpan& span);

  // Forgets `trace`. O(its services and operations).
  void Remove(StoredTrace& trace);

  // Looks at no more than `traces_max` traces behind `after` (nullopt: at the newest ones) that may have matches for
  // the service and the time range of `query`.
  [[nodiscard]] CandidatePage Read(const TraceQuery& query, const std::optional<TracePosition>& after,
                                   size_t traces_max) const;

  // `trace` as a candidate, if it may have matches.
  [[nodiscard]] std::optional<Candidate> Find(const TraceQuery& query, const StoredTrace& trace) const;

  [[nodiscard]] std::vector<std::string> Services() const;
  [[nodiscard]] std::vector<Operation> Operations(const std::string& service) const;

 private:
  ServiceEntry& FindOrAddService(std::string_view name);
  [[nodiscard]] ServiceEntry* FindService(std::string_view name) const;
  static void AddOperation(StoredTrace& trace, ServiceEntry& service, const IncomingSpan& span);

  TraceOrder all_;
  std::map<std::string, std::unique_ptr<ServiceEntry>, std::less<>> services_;
};

}  // namespace spanloom::store::memory
