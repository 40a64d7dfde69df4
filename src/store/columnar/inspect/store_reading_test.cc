// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/inspect/store_reading.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "store/columnar/testing/live_store.h"
#include "store/columnar/testing/senders.h"

namespace spanloom::store::columnar {
namespace {

// What was read, for who asks stores.
class ReadStore final : public SpanStore {
 public:
  explicit ReadStore(const StoreReading& reading) : reading_(reading) {}

  [[nodiscard]] Capabilities capabilities() const override { return {}; }
  StatusOr<std::unique_ptr<Reservation>> Reserve(const otlp::Batch&) override {
    return absl::UnimplementedError("read only");
  }
  [[nodiscard]] StatusOr<Trace> GetTrace(const otlp::TraceId& id, const TimeRange& starts,
                                         const ReadLimits& limits) const override {
    return reading_.queries().GetTrace(id, starts, limits);
  }
  [[nodiscard]] StatusOr<std::unique_ptr<SpanCursor>> Fetch(FetchPlan plan) const override {
    return reading_.queries().Fetch(std::move(plan));
  }
  [[nodiscard]] StatusOr<RowPage<TraceRow>> Traces(const RowQuery<TraceColumn>& query) const override {
    return reading_.queries().Traces(query);
  }
  [[nodiscard]] StatusOr<AggregateAnswer> GroupTraces(const RowGroupQuery<TraceColumn>& query) const override {
    return reading_.queries().GroupTraces(query);
  }
  [[nodiscard]] StatusOr<std::vector<ServiceName>> Services(const NameQuery& query) const override {
    return reading_.queries().Services(query);
  }
  [[nodiscard]] StatusOr<std::vector<OperationName>> Operations(const std::string& service,
                                                                const NameQuery& query) const override {
    return reading_.queries().Operations(service, query);
  }
  [[nodiscard]] StatusOr<std::vector<KeyName>> Keys(const NameQuery& query) const override {
    return reading_.queries().Keys(query);
  }
  [[nodiscard]] StatusOr<std::vector<FieldValue>> Values(const ValueQuery& query) const override {
    return reading_.queries().Values(query);
  }
  StatusOr<Removed> SetRetention(const RetentionPolicy&) override { return absl::UnimplementedError("read only"); }
  // As what Fetch says, which FindFault compares it with.
  [[nodiscard]] StoreStats Stats() const override {
    FetchPlan plan;
    plan.traces_max = SIZE_MAX;
    plan.limits = {};
    StoreStats stats;
    const auto traces = FetchTraces(*this, plan);
    if (!traces.ok()) return stats;
    stats.traces = traces->size();
    for (const Trace& trace : *traces) stats.spans += trace.spans.size();
    return stats;
  }

 private:
  const StoreReading& reading_;
};

std::string FindFault(LiveStore& live, const Senders& senders) {
  auto files = StoreFiles::Open(live.disk(), live.path(), live.clock());
  if (!files.ok()) return std::string(files.status().message());
  const auto reading = StoreReading::Open(*files, live.clock());
  if (!reading.ok()) return std::string(reading.status().message());
  if (!(*reading)->damage().empty()) return (*reading)->damage().front();
  return senders.FindFault(ReadStore(**reading));
}

// Scenario: a store is read beside the process that has it, while that writes segments, merges them and trims the log
// all the time; spans come between two readings, some late, some again.
// Guarantees: each reading finds all that was acknowledged, each span once, and nothing else.
TEST(StoreReadingTest, FindsWhatWasAcknowledgedBesideARunningStore) {
  LiveStore live;
  Senders senders(1);
  for (int round = 0; round < 30; ++round) {
    ASSERT_GT(senders.Send(live.store(), 4), 0U);
    live.Churn();
    const std::string fault = FindFault(live, senders);
    live.Rest();
    ASSERT_EQ(fault, "") << "round " << round;
  }
}

// Scenario: nobody has the store: it was stopped, so that all is in segments.
// Guarantees: the same; and nothing in the directory is changed, or a file added.
TEST(StoreReadingTest, ReadsAStoreThatNobodyHas) {
  LiveStore live;
  Senders senders(2);
  ASSERT_GT(senders.Send(live.store(), 20), 0U);
  live.Stop();
  const auto names = live.disk().List(live.path());
  EXPECT_EQ(FindFault(live, senders), "");
  EXPECT_EQ(*live.disk().List(live.path()), *names);
}

}  // namespace
}  // namespace spanloom::store::columnar
