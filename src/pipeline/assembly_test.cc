// SPDX-License-Identifier: Apache-2.0
//
// The order of a pipeline that stores, and of one with a processor that decides which spans go on; here one that lets
// go at the end.

#include "pipeline/assembly.h"

#include <absl/base/thread_annotations.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "pipeline/testing/pipeline_fixture.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

struct NoOptions {
  void Declare(config::OptionsReader&) {}
};

// Keeps every batch until it is stopped, and then passes on what has more than one span. Thread-safe.
class KeepProcessor final : public HoldingProcessor {
 public:
  explicit KeepProcessor(Consumer& next) : next_(next) {}

  Status Start() override { return absl::OkStatus(); }
  void Stop(std::chrono::milliseconds) override {
    MutexLock lock(mutex_);
    for (otlp::Batch& batch : held_) {
      if (batch.span_count() < 2) continue;
      EXPECT_TRUE(Deliver(next_, std::move(batch)).ok());
    }
    held_.clear();
  }
  void Consume(otlp::Batch batch, Done done) override {
    {
      MutexLock lock(mutex_);
      held_.push_back(std::move(batch));
    }
    std::move(done)(absl::OkStatus());
  }
  [[nodiscard]] bool selects() const override { return true; }
  [[nodiscard]] HoldLimits hold_limits() const override { return {.spans = 7}; }
  [[nodiscard]] uint64_t undelivered_spans() const override { return 0; }

 private:
  Consumer& next_;
  Mutex mutex_;
  std::vector<otlp::Batch> held_ ABSL_GUARDED_BY(mutex_);
};

// Stores, and says how it is to group.
class StoringExporter final : public Exporter {
 public:
  explicit StoringExporter(std::vector<std::optional<Grouping>>& told) : told_(told) {}
  Status Start() override { return absl::OkStatus(); }
  void Stop(std::chrono::milliseconds) override {}
  void Consume(otlp::Batch, Done done) override { std::move(done)(absl::OkStatus()); }
  [[nodiscard]] AckGrade ack_grade() const override { return AckGrade::kStored; }
  void GroupAs(const std::optional<Grouping>& grouping) override { told_.push_back(grouping); }

 private:
  std::vector<std::optional<Grouping>>& told_;
};

constexpr char kYaml[] = R"(
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}}
processors: {keep: , filter: {traces: {span: ['name == "noise"']}}, batch: {timeout: 1h}}
exporters: {spanloom_store: , debug: , disk: }
connectors: {forward: }
service:
  pipelines:
    traces: {receivers: [otlp], processors: [keep], exporters: [spanloom_store]}
)";

class AssemblyTest : public testing::Test, protected PipelineFixture {
 protected:
  AssemblyTest() {
    registry.processors.Add<NoOptions>("keep", {},
                                       [](const ComponentId&, const NoOptions&, const BuildContext&, Consumer& next) {
                                         return std::make_unique<KeepProcessor>(next);
                                       });
    registry.exporters.Add<NoOptions>("disk", {}, [this](const ComponentId&, const NoOptions&, const BuildContext&) {
      return std::make_unique<StoringExporter>(told);
    });
  }
  void Start(const std::vector<std::string>& settings) {
    Build(kYaml, settings);
    ASSERT_TRUE(engine->Start().ok());
  }
  // The spans_min of what the exporter "disk" was told; 0 for nothing.
  std::vector<size_t> Told() const {
    std::vector<size_t> sizes;
    for (const std::optional<Grouping>& grouping : told) sizes.push_back(grouping ? grouping->spans_min : 0);
    return sizes;
  }
  uint64_t SentToDebug() const { return metrics.Sum("otelcol_exporter_sent_spans", {{"exporter", "debug"}}); }

  std::vector<std::optional<Grouping>> told;
};

// Scenario: it stands in front of a batch, a filter, the store and another exporter.
// Guarantees: it answers for itself. What it lets go on is filtered, stored at once, and grouped for the other exporter
// alone: nothing is left at the end of the stop.
TEST_F(AssemblyTest, BehindASelectorThePipelineIsArrangedAnew) {
  Start({"service.pipelines.traces.processors=[keep, batch, filter]",
         "service.pipelines.traces.exporters=[debug, spanloom_store]"});
  const PipelineAck& ack = engine->acks()[0];
  EXPECT_EQ(ack.grade, AckGrade::kQueued);
  EXPECT_EQ(RiskText(ack), "at most 7 spans in processor \"keep\" of traces");
  EXPECT_TRUE(Send(BatchOf({"a", "noise", "b"})).ok());
  EXPECT_TRUE(Send(BatchOf({"alone"})).ok());
  EXPECT_THAT(store.names(), IsEmpty());
  EXPECT_EQ(engine->Stop(20s), 0u);
  EXPECT_THAT(store.names(), ElementsAre("a", "b"));
  EXPECT_EQ(SentToDebug(), 2u);
}

// Scenario: a batch and a filter in front of it, although the pipeline stores.
// Guarantees: both stay where they are written: it decides about what the filter leaves, of whole batches.
TEST_F(AssemblyTest, InFrontOfASelectorThePipelineStaysAsItIsWritten) {
  Start({"service.pipelines.traces.processors=[filter, batch, keep]"});
  EXPECT_EQ(engine->acks()[0].by, "processor \"batch\" of traces");
  EXPECT_TRUE(Send(BatchOf({"a", "noise"})).ok());
  EXPECT_TRUE(Send(BatchOf({"b"})).ok());
  EXPECT_EQ(engine->Stop(20s), 0u);
  EXPECT_THAT(store.names(), ElementsAre("a", "b"));
}

// Scenario: a batch and a filter in front of an exporter that stores, beside another that does not.
// Guarantees: the exporter is told how to group, and its spans are stored at once; the other one's wait in the batch.
TEST_F(AssemblyTest, WhoStoresGroupsInPlaceOfABatchInFrontOfIt) {
  Start({"service.pipelines.traces.processors=[batch, filter]", "service.pipelines.traces.exporters=[debug, disk]"});
  EXPECT_THAT(Told(), ElementsAre(8192));
  EXPECT_EQ(engine->acks()[0].grade, AckGrade::kStored);
  EXPECT_TRUE(Send(BatchOf({"a", "noise"})).ok());
  EXPECT_EQ(SentToDebug(), 0u);
  EXPECT_EQ(engine->Stop(20s), 0u);
  EXPECT_EQ(SentToDebug(), 1u);
}

// Scenario: the batch stands in another pipeline, which forwards to that of the exporter.
// Guarantees: the exporter is told.
TEST_F(AssemblyTest, WhoStoresIsToldThroughConnectors) {
  Start({"service.pipelines.traces.processors=[batch]", "service.pipelines.traces.exporters=[forward]",
         "service.pipelines.traces/behind.receivers=[forward]", "service.pipelines.traces/behind.exporters=[disk]"});
  EXPECT_THAT(Told(), ElementsAre(8192));
}

// Scenario: there is no batch; a reload brings one.
// Guarantees: the exporter keeps running and is told each time.
TEST_F(AssemblyTest, WhoStoresIsToldAnewAtAReload) {
  const std::string exporters = "service.pipelines.traces.exporters=[disk]";
  Start({"service.pipelines.traces.processors=[filter]", exporters});
  EXPECT_THAT(Told(), ElementsAre(0));
  const auto reloaded = engine->Reload(Parse(kYaml, {"service.pipelines.traces.processors=[batch]", exporters}), 20s);
  ASSERT_TRUE(reloaded.ok()) << reloaded.status();
  EXPECT_THAT(Told(), ElementsAre(0, 8192));
}

}  // namespace
}  // namespace spanloom::pipeline
