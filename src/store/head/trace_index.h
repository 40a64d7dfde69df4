// SPDX-License-Identifier: Apache-2.0
//
// Finds traces without looking at their spans: all of them and those of each service, newest first, so that a question
// with a limit can stop early; and the names of services and operations with their counts.

#pragma once

#include <absl/container/btree_set.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/fetch.h"
#include "store/head/incoming.h"
#include "store/head/stored_trace.h"
#include "store/scan/span_names.h"

namespace spanloom::store::head {

// Where a trace stands in the order "newest first": by its latest span start, ties by trace id.
struct TracePosition {
  FetchPosition position;
  StoredTrace* trace = nullptr;

  friend bool operator<(const TracePosition& a, const TracePosition& b) { return a.position < b.position; }
};

using TraceOrder = absl::btree_set<TracePosition>;

struct OperationEntry {
  ServiceEntry* service = nullptr;
  const Operation* operation = nullptr;  // its key in ServiceEntry::operations
  uint64_t spans = 0;
};

// A name need not be copied to be looked for.
struct OperationLess {
  using is_transparent = void;
  using View = std::pair<std::string_view, otlp::SpanKind>;

  static View Of(const Operation& operation) { return {operation.name, operation.kind}; }
  static View Of(const View& view) { return view; }
  template <typename A, typename B>
  bool operator()(const A& a, const B& b) const {
    return Of(a) < Of(b);
  }
};

struct ServiceEntry {
  explicit ServiceEntry(std::string service) : name(std::move(service)) {}

  const std::string name;
  TraceOrder traces;  // that have a span of this service, by the latest start of such a span
  uint64_t spans = 0;
  std::map<Operation, OperationEntry, OperationLess> operations;
};

// What is known of the traces that a question is about, so that others need not be looked at.
struct CandidateQuery {
  TimeRange starts = {};                                   // a span starts within it
  std::vector<std::string> services = {};                  // it has spans of all of these, or of any of them
  bool needs_all_services = false;                         // any will do if it is false, or `services` is empty
  std::optional<std::string> only_service = std::nullopt;  // the order goes by spans of this service
};

// A trace that a question should look at: what is needed of it outside the lock.
struct Candidate {
  otlp::TraceId id;
  uint64_t latest_start_unix_ns = 0;  // of all spans, or those of CandidateQuery::only_service
  TraceSpans spans;
  uint64_t version = 0;                           // as in StoredTrace, as are the rows
  std::shared_ptr<const TraceRow> row = nullptr;  // null if it is not known; shared with the store
  // Null, or perhaps of other spans; shared with the store.
  std::shared_ptr<const DerivedRequests> requests = nullptr;
};

struct CandidatePage {
  std::vector<Candidate> candidates;   // newest first
  std::optional<FetchPosition> after;  // where the next page begins; nullopt if there is none
};

// Thread-compatible: guarded by the store's mutex.
class TraceIndex {
 public:
  // Notes spans that were added to `trace`. O(log traces), once for all of them and once for each of their services.
  void Add(StoredTrace& trace, std::span<const IncomingSpan* const> spans);

  // Forgets `trace`. O(its services and operations).
  void Remove(StoredTrace& trace);

  // Looks at no more than `traces_max` traces behind `after` (nullopt: at the newest ones) that may have matches.
  [[nodiscard]] CandidatePage Read(const CandidateQuery& query, const std::optional<FetchPosition>& after,
                                   size_t traces_max) const;

  // `trace` as a candidate, if it may have matches.
  [[nodiscard]] std::optional<Candidate> Find(const CandidateQuery& query, const StoredTrace& trace) const;

  // The trace whose last span started longest ago; null if there is none.
  [[nodiscard]] StoredTrace* oldest() const { return all_.empty() ? nullptr : all_.rbegin()->trace; }
  // The first and the last start of all spans, Unix ns; 0 if there are none.
  [[nodiscard]] uint64_t first_start_unix_ns() const { return first_starts_.empty() ? 0 : *first_starts_.begin(); }
  [[nodiscard]] uint64_t last_start_unix_ns() const {
    return all_.empty() ? 0 : all_.begin()->position.latest_start_unix_ns;
  }

  // Adds all names to the counts, whatever the time range.
  Status CountServices(scan::ServiceCounts& counts) const;
  Status CountOperations(const std::string& service, scan::OperationCounts& counts) const;

 private:
  ServiceEntry& FindOrAddService(std::string_view name);
  [[nodiscard]] ServiceEntry* FindService(std::string_view name) const;
  static void AddOperation(StoredTrace& trace, ServiceEntry& service, const IncomingSpan& span);
  // The spans' starts, all of one service.
  static void AddToService(StoredTrace& trace, ServiceEntry& service, std::span<const IncomingSpan* const> spans);
  [[nodiscard]] bool HasServices(const CandidateQuery& query, const StoredTrace& trace) const;

  TraceOrder all_;
  absl::btree_multiset<uint64_t> first_starts_;  // of each trace
  std::map<std::string, std::unique_ptr<ServiceEntry>, std::less<>> services_;
};

}  // namespace spanloom::store::head
