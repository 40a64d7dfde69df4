// SPDX-License-Identifier: Apache-2.0
//
// Spans in memory, within limits: the default store of a laptop and of a demo, and the reference that other stores are
// tested against. It is as safe as the process: snapshot.h keeps the content over a clean restart.

#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/functional/function_ref.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "store/head/candidate_reader.h"
#include "store/head/followed_spans.h"
#include "store/head/trace_table.h"
#include "store/head/write_queue.h"
#include "store/memory/memory_store_options.h"
#include "store/retention_time.h"
#include "store/scan/read_meter.h"
#include "store/scan/trace_reading.h"
#include "store/span_store.h"

namespace spanloom::store::memory {

// Resident memory is larger than bytes_max says: about 210 bytes more a span (measured: x86-64, glibc, 100,000 traces
// of ten spans of 470 bytes each), and what summary rows take, which are kept from one question to the next.
//
// Thread-safe. Batches are added by a thread of its own, one after the other; until then they wait in a queue whose
// bytes are limited. Questions are answered on the caller's thread.
//
// When a limit is exceeded, whole traces are evicted: the one whose last span arrived longest ago goes first, and its
// spans are counted. A trace that is as large as the whole store keeps the spans that it has: further ones are refused
// with kResourceExhausted (final: sending again can't help) and counted, while the rest of the batch is stored.
//
// A span that arrives again with the same bytes and the same origin as one that is stored is counted and not stored
// again. A retention policy is applied when it is set, after each batch, and about every second.
class MemoryStore : public SpanStore {
 public:
  // `options` must be valid; `metrics` and `clock` must outlive the store. Without a deriver there are no request rows.
  MemoryStore(const MemoryStoreOptions& options, MetricRegistry& metrics, const Clock& clock = Clock::System(),
              RequestDeriver deriver = {});
  // As Stop().
  ~MemoryStore() override;
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  [[nodiscard]] Capabilities capabilities() const override;
  StatusOr<std::unique_ptr<Reservation>> Reserve(const otlp::Batch& batch) override { return queue_.Reserve(batch); }
  [[nodiscard]] StatusOr<Trace> GetTrace(const otlp::TraceId& id, const TimeRange& starts,
                                         const ReadLimits& limits) const override;
  [[nodiscard]] StatusOr<std::unique_ptr<SpanCursor>> Fetch(FetchPlan plan) const override;
  [[nodiscard]] StatusOr<AggregateAnswer> Aggregate(const AggregatePlan& plan) const override;
  [[nodiscard]] StatusOr<TailBatch> Tail(const FetchPlan& plan, std::optional<TailPosition> position,
                                         size_t spans_max) const override;
  [[nodiscard]] StatusOr<RowPage<TraceRow>> Traces(const RowQuery<TraceColumn>& query) const override;
  [[nodiscard]] StatusOr<AggregateAnswer> GroupTraces(const RowGroupQuery<TraceColumn>& query) const override;
  [[nodiscard]] StatusOr<RowPage<RequestRow>> Requests(const RowQuery<RequestColumn>& query) const override;
  [[nodiscard]] StatusOr<AggregateAnswer> GroupRequests(const RowGroupQuery<RequestColumn>& query) const override;
  [[nodiscard]] StatusOr<std::vector<ServiceName>> Services(const NameQuery& query) const override;
  [[nodiscard]] StatusOr<std::vector<OperationName>> Operations(const std::string& service,
                                                                const NameQuery& query) const override;
  [[nodiscard]] StatusOr<std::vector<KeyName>> Keys(const NameQuery& query) const override;
  [[nodiscard]] StatusOr<std::vector<FieldValue>> Values(const ValueQuery& query) const override;
  StatusOr<Removed> SetRetention(const RetentionPolicy& policy) override;
  StatusOr<Removed> Purge(const PurgePlan& plan) override;
  [[nodiscard]] StoreStats Stats() const override;

  // Adds a batch on the calling thread, past the queue. Errors: kResourceExhausted, for spans of a trace that is too
  // large; the others are stored.
  Status AddNow(const otlp::Batch& batch);

  // Adds what waits and takes no more: kUnavailable from now on. Questions are still answered.
  void Stop() { queue_.Stop(); }

 private:
  class Purging;
  using VisitTrace = absl::FunctionRef<Status(const head::Candidate&, scan::TraceReading&)>;

  // Visits the traces that may have spans as `query` says, each once, as head::CandidateReader does.
  Status ForEachCandidate(const head::CandidateQuery& query, const std::vector<otlp::TraceId>& ids,
                          scan::ReadMeter& meter, absl::FunctionRef<Status(const head::Candidate&)> visit) const;
  // The same with their spans.
  Status Scan(const head::CandidateQuery& query, const std::vector<otlp::TraceId>& ids, scan::ReadMeter& meter,
              VisitTrace visit) const;
  // Visits the rows of the summary tables; those that are not known yet are worked out, and kept.
  Status ForEachTraceRow(const RowFilter<TraceColumn>& filter, const ReadLimits& limits,
                         absl::FunctionRef<Status(std::shared_ptr<const TraceRow>)> visit) const;
  Status ForEachRequest(const RowFilter<RequestColumn>& filter, const ReadLimits& limits,
                        absl::FunctionRef<Status(std::shared_ptr<const RequestRow>)> visit) const;
  [[nodiscard]] std::shared_ptr<const head::DerivedRequests> Derive(const head::Candidate& candidate) const;
  Removed ApplyRetention() ABSL_EXCLUSIVE_LOCKS_REQUIRED(retention_mutex_);
  // Notes what the gauges show: they are read on loops, which must not wait for the table.
  void NoteSizes() ABSL_EXCLUSIVE_LOCKS_REQUIRED(table_.mutex);
  std::vector<Status> AddAll(std::span<const otlp::Batch> batches);
  void CountAdded(const head::AddCounts& counts);
  [[nodiscard]] Status RefusalOf(size_t refused, size_t total) const;
  void RegisterGauges(MetricRegistry& metrics);

  const MemoryStoreOptions options_;
  const Clock& clock_;
  const RequestDeriver deriver_;
  Counter& spans_evicted_;
  Counter& spans_expired_;
  Counter& spans_purged_;
  Counter& spans_duplicate_;
  Counter& spans_refused_;

  mutable head::FollowedSpans recent_;  // are kept because of questions
  mutable head::LockedTable table_;     // rows are kept by questions
  std::atomic<uint64_t> traces_ = 0;
  std::atomic<uint64_t> spans_ = 0;
  std::atomic<uint64_t> bytes_ = 0;
  Mutex retention_mutex_;  // held while the policy is applied: what goes is counted once
  RetentionPolicy retention_ ABSL_GUARDED_BY(retention_mutex_);
  RetentionTime retention_time_ ABSL_GUARDED_BY(retention_mutex_){clock_};
  head::WriteQueue queue_;  // ends before all of the above, which its thread uses
  std::vector<ScopedGauge> gauges_;
};

}  // namespace spanloom::store::memory
