// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "base/check.h"
#include "store/columnar/columnar_store.h"
#include "store/conformance/store_conformance.h"
#include "store/disk/testing/simulated_disk.h"

namespace spanloom::store {
namespace {

// A store with all that must outlive it. After each append it behaves as `after_append` says.
class OwnedColumnarStore final : public SpanStore {
 public:
  enum class AfterAppend { kNothing, kFlush, kFlushAndCompact };

  OwnedColumnarStore(const Clock& clock, const RequestDeriver& deriver, AfterAppend after_append)
      : after_append_(after_append) {
    CHECK(disk_.CreateDirectory("/data").ok());
    auto opened = columnar::ColumnarStore::Open({.directory = "/data",
                                                 .compacts_by_itself = false,
                                                 .compaction_bytes_per_second = uint64_t{1} << 40,
                                                 .compaction = {.sources_min = 3, .growth = 1}},
                                                disk_, metrics_, clock, deriver);
    CHECK(opened.ok());
    store_ = std::move(opened->store);
  }

  [[nodiscard]] Capabilities capabilities() const override { return store_->capabilities(); }
  StatusOr<std::unique_ptr<Reservation>> Reserve(const otlp::Batch& batch) override {
    if (after_append_ != AfterAppend::kNothing) CHECK(store_->Flush().ok());
    if (after_append_ == AfterAppend::kFlushAndCompact) CHECK(store_->Compact().ok());
    return store_->Reserve(batch);
  }
  [[nodiscard]] StatusOr<Trace> GetTrace(const otlp::TraceId& id, const TimeRange& starts,
                                         const ReadLimits& limits) const override {
    return store_->GetTrace(id, starts, limits);
  }
  [[nodiscard]] StatusOr<std::unique_ptr<SpanCursor>> Fetch(FetchPlan plan) const override {
    return store_->Fetch(std::move(plan));
  }
  [[nodiscard]] StatusOr<AggregateAnswer> Aggregate(const AggregatePlan& plan) const override {
    return store_->Aggregate(plan);
  }
  [[nodiscard]] StatusOr<TailBatch> Tail(const FetchPlan& plan, std::optional<TailPosition> position,
                                         size_t spans_max) const override {
    return store_->Tail(plan, position, spans_max);
  }
  [[nodiscard]] StatusOr<RowPage<TraceRow>> Traces(const RowQuery<TraceColumn>& query) const override {
    return store_->Traces(query);
  }
  [[nodiscard]] StatusOr<AggregateAnswer> GroupTraces(const RowGroupQuery<TraceColumn>& query) const override {
    return store_->GroupTraces(query);
  }
  [[nodiscard]] StatusOr<RowPage<RequestRow>> Requests(const RowQuery<RequestColumn>& query) const override {
    return store_->Requests(query);
  }
  [[nodiscard]] StatusOr<AggregateAnswer> GroupRequests(const RowGroupQuery<RequestColumn>& query) const override {
    return store_->GroupRequests(query);
  }
  [[nodiscard]] StatusOr<std::vector<ServiceName>> Services(const NameQuery& query) const override {
    return store_->Services(query);
  }
  [[nodiscard]] StatusOr<std::vector<OperationName>> Operations(const std::string& service,
                                                                const NameQuery& query) const override {
    return store_->Operations(service, query);
  }
  [[nodiscard]] StatusOr<std::vector<KeyName>> Keys(const NameQuery& query) const override {
    return store_->Keys(query);
  }
  [[nodiscard]] StatusOr<std::vector<FieldValue>> Values(const ValueQuery& query) const override {
    return store_->Values(query);
  }
  StatusOr<Removed> SetRetention(const RetentionPolicy& policy) override { return store_->SetRetention(policy); }
  StatusOr<Removed> Purge(const PurgePlan& plan) override { return store_->Purge(plan); }
  [[nodiscard]] StoreStats Stats() const override { return store_->Stats(); }

 private:
  const AfterAppend after_append_;
  disk::SimulatedDisk disk_;
  MetricRegistry metrics_;
  std::unique_ptr<columnar::ColumnarStore> store_;
};

StoreFactory Factory(std::string name, OwnedColumnarStore::AfterAppend after_append) {
  return {.name = std::move(name),
          .make =
              [after_append](const Clock& clock, const RequestDeriver& deriver) {
                return std::make_unique<OwnedColumnarStore>(clock, deriver, after_append);
              },
          // A trace of a hundred thousand spans in hundreds of segments is read anew with each.
          .runs_large_tests = after_append == OwnedColumnarStore::AfterAppend::kNothing};
}

// In the head alone; with each batch but the last in a segment of its own; and with some of these merged.
INSTANTIATE_TEST_SUITE_P(Columnar, StoreConformance,
                         testing::Values(Factory("Head", OwnedColumnarStore::AfterAppend::kNothing),
                                         Factory("Segments", OwnedColumnarStore::AfterAppend::kFlush),
                                         Factory("Merged", OwnedColumnarStore::AfterAppend::kFlushAndCompact)),
                         [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace spanloom::store
