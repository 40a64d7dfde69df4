// SPDX-License-Identifier: Apache-2.0
//
// For tests: the contract of span_store.h in as few words as possible, without indices, limits or threads. What other
// stores answer is compared with what it answers. It declares nothing that a store may leave out.

#pragma once

#include <absl/base/thread_annotations.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "store/span_store.h"

namespace spanloom::store {

// Thread-safe, by one lock. Every question looks at every span of a copy of everything.
class ModelStore final : public SpanStore {
 public:
  // `clock` must outlive the store.
  explicit ModelStore(const Clock& clock = Clock::System()) : clock_(clock) {}

  [[nodiscard]] Capabilities capabilities() const override { return {}; }
  StatusOr<std::unique_ptr<Reservation>> Reserve(const otlp::Batch& batch) override;
  [[nodiscard]] StatusOr<Trace> GetTrace(const otlp::TraceId& id, const TimeRange& starts,
                                         const ReadLimits& limits) const override ABSL_LOCKS_EXCLUDED(mutex_);
  [[nodiscard]] StatusOr<std::unique_ptr<SpanCursor>> Fetch(FetchPlan plan) const override;
  [[nodiscard]] StatusOr<RowPage<TraceRow>> Traces(const RowQuery<TraceColumn>& query) const override;
  [[nodiscard]] StatusOr<AggregateAnswer> GroupTraces(const RowGroupQuery<TraceColumn>& query) const override;
  [[nodiscard]] StatusOr<std::vector<ServiceName>> Services(const NameQuery& query) const override;
  [[nodiscard]] StatusOr<std::vector<OperationName>> Operations(const std::string& service,
                                                                const NameQuery& query) const override;
  [[nodiscard]] StatusOr<std::vector<KeyName>> Keys(const NameQuery& query) const override;
  [[nodiscard]] StatusOr<std::vector<FieldValue>> Values(const ValueQuery& query) const override;
  StatusOr<Removed> SetRetention(const RetentionPolicy& policy) override ABSL_LOCKS_EXCLUDED(mutex_);
  [[nodiscard]] StoreStats Stats() const override ABSL_LOCKS_EXCLUDED(mutex_);

  // Appends at once.
  void Add(const otlp::Batch& batch) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  class ModelReservation;
  class ModelCursor;
  struct Stored {
    std::vector<StoredSpan> spans;  // in order of arrival
    uint64_t version = 0;
  };
  using TraceMap = std::map<otlp::TraceId, Stored>;

  [[nodiscard]] TraceMap Copy() const ABSL_LOCKS_EXCLUDED(mutex_);
  template <typename Counts>
  Status Count(const ReadLimits& limits, Counts& counts) const;
  Removed ApplyRetention() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] uint64_t bytes() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  mutable Mutex mutex_;
  TraceMap traces_ ABSL_GUARDED_BY(mutex_);
  StoreStats stats_ ABSL_GUARDED_BY(mutex_);
  RetentionPolicy retention_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace spanloom::store
