// SPDX-License-Identifier: Apache-2.0
//
// The promise of every store: what was acknowledged is found again, and questions are answered without knowing how it
// is kept. The write path (pipeline) and the read path (query) meet only here. store/memory is the reference
// implementation; store/conformance holds the tests that every implementation runs. Which question of which API becomes
// which call: docs/decisions/0010-the-store-contract.md.

#pragma once

#include <absl/functional/any_invocable.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/status.h"
#include "otlp/batch.h"
#include "otlp/ids.h"
#include "store/aggregate.h"
#include "store/fetch.h"
#include "store/names.h"
#include "store/request_row.h"
#include "store/retention.h"
#include "store/row_query.h"
#include "store/span.h"
#include "store/trace_row.h"

namespace spanloom::store {

// What an OK of Append means.
enum class Durability : uint8_t {
  kProcess,  // lost with the process
  kCrash,    // found after the process was killed; lost with the machine's power
  kPower,    // found after a loss of power
};

// What a store can do beyond what every store must. A call that it does not declare is answered kUnimplemented.
struct Capabilities {
  Durability durability = Durability::kProcess;
  bool aggregate = false;        // Aggregate(); else the reader sums up what Fetch() brings
  bool tail = false;             // Tail()
  bool requests = false;         // Requests(), GroupRequests(): it was given a RequestDeriver
  bool purge = false;            // Purge()
  uint64_t names_step_ns = 0;    // how exactly NameQuery::starts is kept; 0: to the nanosecond
  double quantile_error = 0.01;  // relative, of Aggregate::distribution
};

struct StoreStats {
  uint64_t traces = 0;
  uint64_t spans = 0;
  uint64_t bytes = 0;           // that the stored spans take, as this store counts its size
  uint64_t oldest_unix_ns = 0;  // the first span start that is stored; 0 if nothing is
  uint64_t newest_unix_ns = 0;  // the last one
  // Since the store was opened.
  uint64_t spans_evicted = 0;    // removed to stay within limits
  uint64_t spans_expired = 0;    // removed by the retention policy
  uint64_t spans_purged = 0;     // removed on request
  uint64_t spans_duplicate = 0;  // delivered again with the same bytes
};

// Called exactly once, on any thread, perhaps before the call that was given it returns.
using AppendDone = absl::AnyInvocable<void(Status)>;

// Room that a store keeps for one batch. Destroying it gives the room back. Thread-compatible; must not outlive the
// store.
class Reservation {
 public:
  virtual ~Reservation() = default;

  // Takes the spans of `batch`, which are those of the batch reserved for, or some of them. Must not block. `done`: OK
  // when they are as safe as Capabilities::durability says; kUnavailable if what could not be foreseen happened (a
  // write failed, the store was stopped), and then none of them is acknowledged; kResourceExhausted, which is final, if
  // the trace of some of them alone would exceed the store, and then the others are stored. Call at most once.
  virtual void Commit(otlp::Batch batch, AppendDone done) = 0;
};

// Where a reader of new spans stands. Opaque; kInvalidArgument if it is of another store or another start of it.
struct TailPosition {
  uint64_t epoch = 0;
  uint64_t sequence = 0;
  friend bool operator==(const TailPosition&, const TailPosition&) = default;
};

struct TailBatch {
  SpanBatch spans;            // by arrival; a trace may occur in several batches, and several times in one
  TailPosition next;          // where to go on
  uint64_t spans_missed = 0;  // that were gone before they could be read: the reader is too slow, or has paused
};

// Thread-safe. Views and values that it hands out stay valid after later calls, but not after its end. Questions may
// block on a disk or a network and are not asked on loops; appends never block.
class SpanStore {
 public:
  virtual ~SpanStore() = default;

  [[nodiscard]] virtual Capabilities capabilities() const = 0;

  // Room for the spans of `batch`. kUnavailable with a retry delay if there is none now; kResourceExhausted if the
  // batch alone is larger than the store can ever take at once. Must not block.
  virtual StatusOr<std::unique_ptr<Reservation>> Reserve(const otlp::Batch& batch) = 0;

  // Reserves and commits. Spans with an all-zero trace id are kept like any other. A span that arrives again with the
  // same bytes and the same origin, whenever that is, is one span; the same ids with other content are two.
  void Append(otlp::Batch batch, AppendDone done);

  // The whole trace; kNotFound if no span of it is stored. `starts` is a hint where its spans are: a store may overlook
  // spans outside of it. Errors: as SpanCursor::Next.
  [[nodiscard]] virtual StatusOr<Trace> GetTrace(const otlp::TraceId& id, const TimeRange& starts,
                                                 const ReadLimits& limits) const = 0;

  // kInvalidArgument: FetchPlan::Validate.
  [[nodiscard]] virtual StatusOr<std::unique_ptr<SpanCursor>> Fetch(FetchPlan plan) const = 0;

  // Errors: as SpanCursor::Next; kInvalidArgument: AggregatePlan::Validate; kResourceExhausted: more series than
  // series_max.
  [[nodiscard]] virtual StatusOr<AggregateAnswer> Aggregate(const AggregatePlan& plan) const;

  // Spans that became visible behind `position`, in order of arrival, and that match `plan` (its traces, join, order,
  // after, rows and structure count for nothing); at most `spans_max`. Returns at once, perhaps with nothing. Without a
  // position: no spans, and where to begin. A store need not keep spans for this before it is asked, nor when nobody
  // has asked for a minute.
  [[nodiscard]] virtual StatusOr<TailBatch> Tail(const FetchPlan& plan, std::optional<TailPosition> position,
                                                 size_t spans_max) const;

  // The summary tables. Errors: as SpanCursor::Next; kInvalidArgument for an operand, page or plan that is not valid.
  [[nodiscard]] virtual StatusOr<RowPage<TraceRow>> Traces(const RowQuery<TraceColumn>& query) const = 0;
  [[nodiscard]] virtual StatusOr<AggregateAnswer> GroupTraces(const RowGroupQuery<TraceColumn>& query) const = 0;
  [[nodiscard]] virtual StatusOr<RowPage<RequestRow>> Requests(const RowQuery<RequestColumn>& query) const;
  [[nodiscard]] virtual StatusOr<AggregateAnswer> GroupRequests(const RowGroupQuery<RequestColumn>& query) const;

  // Names, sorted. Values are sorted by Value.
  [[nodiscard]] virtual StatusOr<std::vector<ServiceName>> Services(const NameQuery& query) const = 0;
  // Empty if the service is unknown.
  [[nodiscard]] virtual StatusOr<std::vector<OperationName>> Operations(const std::string& service,
                                                                        const NameQuery& query) const = 0;
  // Keys of the scopes kSpan, kResource, kInstrumentation, kEvent and kLink.
  [[nodiscard]] virtual StatusOr<std::vector<KeyName>> Keys(const NameQuery& query) const = 0;
  // kInvalidArgument for fields of the span's place in its trace (kNestedSet*).
  [[nodiscard]] virtual StatusOr<std::vector<FieldValue>> Values(const ValueQuery& query) const = 0;

  // Applies the policy now and from now on. Returns what went at once; a store may do the rest in the background.
  virtual StatusOr<Removed> SetRetention(const RetentionPolicy& policy) = 0;
  // Removes for good; what is delivered again afterwards is new. Returns when no question finds it any more.
  virtual StatusOr<Removed> Purge(const PurgePlan& plan);

  [[nodiscard]] virtual StoreStats Stats() const = 0;
};

// Whole traces of an answer, for readers that want messages and no columns: sets rows and wants_messages of `plan`
// accordingly and runs it to its end.
[[nodiscard]] StatusOr<std::vector<Trace>> FetchTraces(const SpanStore& store, FetchPlan plan);

}  // namespace spanloom::store
