// SPDX-License-Identifier: Apache-2.0
//
// The truth of the pipeline's own counters: whatever happens to spans, the sums agree.

#include <gtest/gtest.h>

#include "base/rng.h"
#include "base/text.h"
#include "net/loop_call.h"
#include "pipeline/testing/fake_backend.h"
#include "pipeline/testing/pipeline_fixture.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;

constexpr char kConfig[] = R"(
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}}
processors:
  filter: {traces: {span: ['name == "noise"']}}
  batch: {timeout: 1ms, send_batch_size: 8}
exporters:
  otlp_grpc:
    endpoint: BACKEND
    tls: {insecure: true}
    retry_on_failure: {initial_interval: 1ms, max_interval: 1ms, max_elapsed_time: 20ms}
    sending_queue: {num_consumers: 1, queue_size: 2}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [filter, batch], exporters: [otlp_grpc]}
)";

class Accounting : public testing::Test, protected PipelineFixture {
 protected:
  void Start() {
    Build(kConfig, {StrCat("exporters.otlp_grpc.endpoint=\"", backend.endpoint(), "\"")});
    const Status status = engine->Start();
    ASSERT_TRUE(status.ok()) << status;
  }

  uint64_t Held() const {
    return static_cast<uint64_t>(metrics.SumGauges("spanloom_processor_held_spans") +
                                 metrics.SumGauges("spanloom_exporter_held_spans"));
  }

  void ExpectSumsToAgree(uint64_t sent_by_clients) const {
    const uint64_t accepted = metrics.Sum("otelcol_receiver_accepted_spans");
    const uint64_t refused =
        metrics.Sum("otelcol_receiver_refused_spans") + metrics.Sum("otelcol_receiver_failed_spans");
    EXPECT_EQ(accepted + refused, sent_by_clients);
    const uint64_t filtered = metrics.Sum("spanloom_pipeline_filtered_spans");
    const uint64_t delivered = metrics.Sum("otelcol_exporter_sent_spans");
    const uint64_t rejected = metrics.Sum("spanloom_exporter_rejected_spans");
    const uint64_t dropped = metrics.Sum("spanloom_pipeline_dropped_spans");
    EXPECT_EQ(accepted, filtered + delivered + rejected + dropped + Held()) << metrics.Render();
  }

  FakeBackend backend{loops, metrics};
};

// Scenario: from a seed, requests of noise and work, while the backend is well, busy or refuses for good; then a stop
// with the backend in a bad mood. Guarantees: received = delivered + refused + filtered + dropped by cause + still
// held, and the backend agrees.
TEST_F(Accounting, SumsAgreeWhateverTheBackendDoes) {
  Start();
  Rng rng(20261122);
  EXPECT_TRUE(Send(BatchOf({"work", "work"})).ok());
  ASSERT_TRUE(backend.AwaitSpans(2));
  backend.AnswerWith(absl::InvalidArgumentError("bad"));
  EXPECT_TRUE(Send(BatchOf({"work", "noise", "work"})).ok());
  ASSERT_TRUE(backend.AwaitRequests(2));
  uint64_t sent = 5;
  for (int i = 0; i < 60; ++i) {
    const uint64_t mood = rng.Below(4);
    if (mood == 0) backend.AnswerWith(absl::UnavailableError("busy"));
    if (mood == 1) backend.AnswerWith(absl::InvalidArgumentError("bad"));
    if (mood >= 2) backend.AnswerWith(std::string());
    std::vector<std::string> names;
    for (uint64_t span = rng.Below(12) + 1; span > 0; --span) names.emplace_back(rng.Below(3) == 0 ? "noise" : "work");
    // A refusal is as good an answer as any here: it is counted.
    Send(BatchOf(names)).IgnoreError();
    sent += names.size();
  }
  backend.AnswerWith(absl::UnavailableError("busy"));
  EXPECT_TRUE(Send(BatchOf({"work", "work", "work"})).ok());
  sent += 3;
  const uint64_t undelivered = engine->Stop(5ms);
  ExpectSumsToAgree(sent);
  EXPECT_EQ(undelivered, metrics.Sum("spanloom_pipeline_dropped_spans", {{"cause", "shutdown"}}));
  EXPECT_EQ(backend.names().size(), metrics.Sum("otelcol_exporter_sent_spans"));
  EXPECT_GE(metrics.Sum("spanloom_pipeline_dropped_spans", {{"cause", "InvalidArgument"}}), 2u);
}

// Scenario: the pipeline is looked at while a batch and a request are held.
// Guarantees: what is held is on the page, and the sums agree then too.
TEST_F(Accounting, WhatIsHeldIsShown) {
  Start();
  backend.AnswerWith(WithRetryDelay(absl::UnavailableError("busy"), 10ms));
  EXPECT_TRUE(Send(BatchOf({"work", "noise", "work"})).ok());
  ASSERT_TRUE(backend.AwaitRequests(1));
  // The processor learns on its loop that the exporter has the spans; until then both show them.
  for (size_t i = 0; i < loops.size(); ++i) RunOn(loops.At(i), [] {});
  EXPECT_EQ(Held(), 2u);
  ExpectSumsToAgree(3);
}

// Scenario: a memory limiter whose limit the process has exceeded from the start stands in front.
// Guarantees: clients are told to send again, nothing goes on, and what was refused counts as refused everywhere.
TEST_F(Accounting, CountsWhatTheMemoryLimiterRefuses) {
  Build(kConfig, {StrCat("exporters.otlp_grpc.endpoint=\"", backend.endpoint(), "\""),
                  "processors.memory_limiter={check_interval: 1h, limit_mib: 1}",
                  "service.pipelines.traces.processors=[memory_limiter, filter, batch]"});
  ASSERT_TRUE(engine->Start().ok());
  const Status answer = Send(BatchOf({"work", "noise", "work"}));
  EXPECT_EQ(answer.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(RetryDelay(answer), 1h);
  EXPECT_EQ(metrics.Sum("otelcol_receiver_refused_spans"), 3u);
  EXPECT_EQ(metrics.Sum("spanloom_pipeline_refused_spans", {{"pipeline", "traces"}}), 3u);
  EXPECT_EQ(metrics.Sum("otelcol_processor_memory_limiter_refused_spans", {{"processor", "memory_limiter"}}), 3u);
  EXPECT_EQ(metrics.Sum("otelcol_processor_incoming_items", {{"processor", "filter"}}), 0u);
  EXPECT_EQ(engine->Stop(0ms), 0u);
  ExpectSumsToAgree(3);
}

}  // namespace
}  // namespace spanloom::pipeline
