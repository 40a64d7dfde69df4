// SPDX-License-Identifier: Apache-2.0
//
// The place of a processor that decides which spans go on. No component does yet; here one that lets go at the end.

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

constexpr char kYaml[] = R"(
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}}
processors: {keep: , filter: {traces: {span: ['name == "noise"']}}, batch: {timeout: 1h}}
exporters: {spanloom_store: , debug: }
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
  }
  void Start(const std::vector<std::string>& settings) {
    Build(kYaml, settings);
    ASSERT_TRUE(engine->Start().ok());
  }
  uint64_t SentToDebug() const { return metrics.Sum("otelcol_exporter_sent_spans", {{"exporter", "debug"}}); }
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

}  // namespace
}  // namespace spanloom::pipeline
