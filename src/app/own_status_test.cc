// SPDX-License-Identifier: Apache-2.0

#include "app/own_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/text.h"

namespace spanloom::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Texts(const std::vector<query::SpanCount>& counts) {
  std::vector<std::string> texts;
  for (const query::SpanCount& count : counts) {
    texts.push_back(StrCat(count.part, " ", count.id, " ", count.event, " ", count.cause, " ", count.spans));
  }
  return texts;
}

// Scenario: counters of two transports of a receiver, of a filter in two pipelines, losses of an exporter by cause, a
// queue of spans and one of log records.
// Guarantees: one line for each component, event and cause, summed up, in the order of a span's way; the queue of
// spans.
TEST(OwnStatus, SumsUpByComponentAndCause) {
  MetricRegistry metrics;
  const auto count = [&](const char* name, const MetricLabels& labels, uint64_t spans) {
    metrics.GetCounter(name, "Spans.", labels).Add(spans);
  };
  count("otelcol_exporter_sent_spans", {{"exporter", "otlp_grpc"}}, 5);
  count("otelcol_receiver_accepted_spans", {{"receiver", "otlp"}, {"transport", "grpc"}}, 7);
  count("otelcol_receiver_accepted_spans", {{"receiver", "otlp"}, {"transport", "http"}}, 3);
  count("spanloom_pipeline_filtered_spans", {{"processor", "filter"}, {"pipeline", "traces"}}, 1);
  count("spanloom_pipeline_filtered_spans", {{"processor", "filter"}, {"pipeline", "traces/2"}}, 1);
  count("spanloom_pipeline_dropped_spans", {{"exporter", "otlp_grpc"}, {"cause", "shutdown"}}, 2);
  count("spanloom_pipeline_dropped_spans", {{"exporter", "otlp_grpc"}, {"cause", "Unavailable"}}, 4);
  count("otelcol_receiver_accepted_log_records", {{"receiver", "otlp"}, {"transport", "grpc"}}, 100);
  const auto gauge = [&](const char* name, const char* type, double value) {
    return metrics.AddGauge(name, "Now.", {{"exporter", "otlp_grpc"}, {"data_type", type}}, [value] { return value; });
  };
  const auto size = gauge("otelcol_exporter_queue_size", "traces", 6);
  const auto capacity = gauge("otelcol_exporter_queue_capacity", "traces", 1'000);
  const auto logs = gauge("otelcol_exporter_queue_size", "logs", 9);
  const auto held = gauge("spanloom_exporter_held_spans", "traces", 12);

  const SimClock clock;
  pipeline::SenderTable senders(clock, {.senders_max = 1});
  for (const char* address : {"10.0.0.6:1", "10.0.0.7:1"}) {
    senders.CountRefused(
        *senders.Arrive({.receiver = "otlp", .transport = "http", .address = address, .program = "curl"}), 3);
  }
  const OwnStatus status(
      metrics, senders, [] { return query::StoreState{.kept = "in memory"}; }, clock, 77);
  const query::StatusReport report = status.Status();
  EXPECT_THAT(Texts(report.counts),
              ElementsAre("receiver otlp accepted  10", "processor filter filtered  2",
                          "exporter otlp_grpc delivered  5", "exporter otlp_grpc waiting  12",
                          "exporter otlp_grpc lost Unavailable 4", "exporter otlp_grpc lost shutdown 2"));
  ASSERT_EQ(report.queues.size(), 1U);
  EXPECT_EQ(report.queues[0].exporter, "otlp_grpc");
  EXPECT_EQ(report.queues[0].size, 6U);
  EXPECT_EQ(report.queues[0].capacity, 1'000U);
  ASSERT_EQ(report.senders.senders.size(), 1U);
  EXPECT_EQ(report.senders.senders[0].address, "10.0.0.7");
  EXPECT_EQ(report.senders.senders[0].program, "curl");
  EXPECT_EQ(report.senders.senders[0].spans_refused, 3U);
  EXPECT_EQ(report.senders.senders[0].connections, 1U);
  EXPECT_EQ(report.senders.forgotten_refused, 3U);
  EXPECT_EQ(report.now_unix_ns, clock.UnixNs());
  EXPECT_EQ(report.started_unix_ns, 77);
  EXPECT_EQ(report.store.kept, "in memory");
  EXPECT_FALSE(report.store.segments.has_value());
}

// Scenario: a process that has only begun, with a store on disk.
// Guarantees: nothing is counted, and how many segments there are is known.
TEST(OwnStatus, KnowsTheSegments) {
  MetricRegistry metrics;
  const auto segments = metrics.AddGauge("spanloom_store_segments", "Segments.", {}, [] { return 4; });
  const pipeline::SenderTable senders(Clock::System());
  const OwnStatus status(
      metrics, senders, [] { return query::StoreState(); }, Clock::System(), 0);
  const query::StatusReport report = status.Status();
  EXPECT_THAT(report.counts, IsEmpty());
  EXPECT_EQ(report.store.segments, 4U);
}

}  // namespace
}  // namespace spanloom::app
