// SPDX-License-Identifier: Apache-2.0
//
// Spans in memory, within limits: the default store of a laptop and of a demo, and the reference that other stores are
// tested against. It is as safe as the process: snapshot.h keeps the content over a clean restart.

#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/functional/function_ref.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "store/memory/incoming.h"
#include "store/memory/origin_table.h"
#include "store/memory/stored_trace.h"
#include "store/memory/trace_index.h"
#include "store/span_store.h"

namespace spanloom::store::memory {

struct MemoryStoreOptions {
  size_t traces_max = 100'000;    // as Jaeger's memory store (all-in-one.yaml, max_traces)
  size_t spans_max = 1'000'000;   // guess: ten a trace
  size_t bytes_max = 256U << 20;  // of the spans' messages, as StoreStats counts them; guess

  // kInvalidArgument if a limit is 0 or spans_max does not fit 32 bits.
  [[nodiscard]] Status Validate() const;
};

// Resident memory is larger than bytes_max says: about 210 bytes more a span (measured: x86-64, glibc, 100,000 traces
// of ten spans of 470 bytes each).
//
// Thread-safe. One mutex; it is held for the time it takes to add a batch or to read a page of the index, never while
// spans are searched or copied.
//
// When a limit is exceeded, whole traces are evicted: the one whose last span arrived longest ago goes first, and its
// spans are counted. A trace that is as large as the whole store keeps the spans that it has: further ones are refused
// with kResourceExhausted (final: sending again can't help) and counted, while the rest of the batch is stored.
//
// A span that arrives again with the same bytes and the same origin is counted and not stored again.
class MemoryStore final : public SpanStore {
 public:
  // `options` must be valid; `metrics` must outlive the store, and hold at most one memory store's gauges.
  MemoryStore(const MemoryStoreOptions& options, MetricRegistry& metrics);
  ~MemoryStore() override;
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  // `done` is called before it returns.
  void Append(otlp::Batch batch, Done done) override ABSL_LOCKS_EXCLUDED(mutex_);
  [[nodiscard]] StatusOr<Trace> GetTrace(const otlp::TraceId& id) const override ABSL_LOCKS_EXCLUDED(mutex_);
  [[nodiscard]] StatusOr<std::vector<Trace>> FindTraces(const TraceQuery& query) const override
      ABSL_LOCKS_EXCLUDED(mutex_);
  [[nodiscard]] StatusOr<std::vector<std::string>> Services() const override ABSL_LOCKS_EXCLUDED(mutex_);
  [[nodiscard]] StatusOr<std::vector<Operation>> Operations(const std::string& service) const override
      ABSL_LOCKS_EXCLUDED(mutex_);
  [[nodiscard]] StoreStats Stats() const override ABSL_LOCKS_EXCLUDED(mutex_);

  // Visits all traces, the one that would be evicted first at the beginning, their spans in order of arrival. Traces
  // that are added meanwhile may be left out.
  void ForEachTrace(absl::FunctionRef<void(const TraceSpans&)> visit) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Evicted = std::vector<std::unique_ptr<StoredTrace>>;  // destroyed outside the lock: they may be large

  // Returns how many spans were refused.
  size_t AddTrace(const IncomingTrace& incoming) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  StoredTrace& FindOrAddTrace(const otlp::TraceId& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddSpan(const IncomingSpan& span, std::shared_ptr<const SpanOrigin> origin, StoredTrace& trace,
               TraceSpans::Block& block) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Touch(StoredTrace& trace) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] bool HasRoom(const StoredTrace& trace, const IncomingSpan& span, const SpanOrigin& origin) const;
  [[nodiscard]] bool IsOverLimit() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Evicted Evict() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::unique_ptr<StoredTrace> Remove(StoredTrace& trace) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] std::vector<Candidate> AddedSince(const TraceQuery& query, uint64_t append) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  [[nodiscard]] Status RefusalOf(size_t refused, size_t total) const;
  void RegisterGauges();

  const MemoryStoreOptions options_;
  MetricRegistry& metrics_;
  Counter& spans_evicted_;
  Counter& spans_duplicate_;
  Counter& spans_refused_;

  mutable Mutex mutex_;
  absl::flat_hash_map<otlp::TraceId, std::unique_ptr<StoredTrace>> traces_ ABSL_GUARDED_BY(mutex_);
  std::list<StoredTrace*> by_arrival_ ABSL_GUARDED_BY(mutex_);  // the trace that got a span last is at the end
  TraceIndex index_ ABSL_GUARDED_BY(mutex_);
  OriginTable origins_ ABSL_GUARDED_BY(mutex_);
  uint64_t appends_ ABSL_GUARDED_BY(mutex_) = 0;  // sequence number of the last append
  size_t spans_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t wire_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // of the spans, without their origins
};

}  // namespace spanloom::store::memory
