// SPDX-License-Identifier: Apache-2.0
//
// The promise of every store: what was acknowledged is found again, and questions are answered without knowing how it
// is kept. The write path (pipeline) and the read path (query) meet only here. store/memory is the reference
// implementation; store/conformance holds the tests that every implementation runs.

#pragma once

#include <absl/functional/any_invocable.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "otlp/batch.h"
#include "otlp/ids.h"
#include "store/names.h"
#include "store/span.h"

namespace spanloom::store {

// An attribute that a span must carry: on itself, its resource, its scope, or one of its events; or a fact that Jaeger
// shows as a tag (span_tags.h): error, span.kind, otel.*. `error` = "false" means that the span is not an error.
struct AttributeCondition {
  std::string key;
  std::string value;  // compared with the attribute's text: numbers in decimal, bools as "true" / "false"
};

// Which traces: those with at least one span for which *all* conditions hold together.
struct TraceQuery {
  std::optional<std::string> service = std::nullopt;    // service.name, exact
  std::optional<std::string> operation = std::nullopt;  // span name, exact
  std::vector<AttributeCondition> attributes = {};
  uint64_t start_min_unix_ns = 0;  // span start, both ends inclusive
  uint64_t start_max_unix_ns = std::numeric_limits<uint64_t>::max();
  int64_t duration_min_ns = std::numeric_limits<int64_t>::min();  // span duration, both ends inclusive
  int64_t duration_max_ns = std::numeric_limits<int64_t>::max();
  size_t limit = 100;  // traces
};

struct StoreStats {
  uint64_t traces = 0;
  uint64_t spans = 0;
  uint64_t bytes = 0;            // of the spans' messages, their origins counted once
  uint64_t spans_evicted = 0;    // removed to stay within the limits, since start
  uint64_t spans_duplicate = 0;  // delivered again with the same bytes, since start
};

// Called exactly once, on any thread, perhaps before the call that was given it returns.
using AppendDone = absl::AnyInvocable<void(Status)>;

// Room that a store keeps for one batch. Destroying it gives the room back. Thread-compatible; must not outlive the
// store.
class Reservation {
 public:
  virtual ~Reservation() = default;

  // Takes the spans of `batch`, which are those of the batch reserved for, or some of them. Must not block. `done`: OK
  // when they are as safe as this store makes them; kUnavailable if what could not be foreseen happened, and then none
  // of them is acknowledged. Call at most once.
  virtual void Commit(otlp::Batch batch, AppendDone done) = 0;
};

// Thread-safe. Views and values that it hands out stay valid after later calls.
class SpanStore {
 public:
  using Done = AppendDone;

  virtual ~SpanStore() = default;

  // Room for the spans of `batch`. kUnavailable with a retry delay if there is none now; kResourceExhausted if the
  // batch alone is larger than the store can ever take at once. Must not block. A store that makes room by evicting
  // what is oldest always has it.
  virtual StatusOr<std::unique_ptr<Reservation>> Reserve(const otlp::Batch& batch);

  // Takes the spans of `batch`. `done` is called exactly once, on any thread, perhaps before Append returns: OK when
  // they are as safe as this store makes them; kUnavailable with a retry delay when it can't take them now. Spans with
  // an all-zero trace id are kept like any other.
  virtual void Append(otlp::Batch batch, Done done) = 0;

  // The whole trace; kNotFound if no span of it is stored.
  virtual StatusOr<Trace> GetTrace(const otlp::TraceId& id) const = 0;

  // Whole traces, newest first: by the latest start among their matching spans, ties by trace id. The order is stable.
  virtual StatusOr<std::vector<Trace>> FindTraces(const TraceQuery& query) const = 0;

  // Names of services with stored spans, sorted.
  virtual StatusOr<std::vector<std::string>> Services() const = 0;

  // Distinct operations of a service, sorted; empty if the service is unknown.
  virtual StatusOr<std::vector<Operation>> Operations(const std::string& service) const = 0;

  virtual StoreStats Stats() const = 0;
};

// Of a store that always has room.
class AppendAtCommit final : public Reservation {
 public:
  explicit AppendAtCommit(SpanStore& store) : store_(store) {}
  void Commit(otlp::Batch batch, AppendDone done) override { store_.Append(std::move(batch), std::move(done)); }

 private:
  SpanStore& store_;
};

inline StatusOr<std::unique_ptr<Reservation>> SpanStore::Reserve(const otlp::Batch&) {
  return std::make_unique<AppendAtCommit>(*this);
}

}  // namespace spanloom::store
