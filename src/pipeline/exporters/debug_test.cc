// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/debug.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "pipeline/testing/fake_consumer.h"
#include "store/conformance/request_builder.h"

namespace spanloom::pipeline {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::SizeIs;

class DebugExporterTest : public testing::Test {
 protected:
  // The lines written for one span with an attribute and an event.
  std::vector<std::string> LinesAt(DebugOptions::Verbosity verbosity) {
    std::vector<std::string> lines;
    DebugExporter exporter(ComponentId{"debug", ""}, {.verbosity = verbosity}, context_,
                           [&](std::string_view message, std::initializer_list<LogField> fields) {
                             std::string line(message);
                             for (const LogField& field : fields) StrAppend(line, " ", field.key, "=", field.value);
                             lines.push_back(std::move(line));
                           });
    store::RequestBuilder request;
    request.FromService("vllm-decode")
        .Add({.trace_id = store::MakeTraceId(1),
              .span_id = store::MakeSpanId(2),
              .name = "llm_request",
              .attributes = {{"gen_ai.usage.prompt_tokens", int64_t{5}}},
              .events = {{.name = "first_token"}}});
    EXPECT_TRUE(Deliver(exporter, request.Build()).ok());
    return lines;
  }

  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = Clock::System()};
};

// Scenario: basic.
// Guarantees: one line with counts.
TEST_F(DebugExporterTest, BasicWritesCounts) {
  EXPECT_THAT(LinesAt(DebugOptions::Verbosity::kBasic), ElementsAre("Traces exporter=debug resource spans=1 spans=1"));
}

// Scenario: eight batches in one second, of which the first two and then every third are to be written.
// Guarantees: those are, and all are counted.
TEST_F(DebugExporterTest, LeavesOutWhatItIsToldTo) {
  SimClock clock;
  size_t lines = 0;
  DebugExporter exporter(ComponentId{"debug", ""}, {.sampling_initial = 2, .sampling_thereafter = 3},
                         {.loops = loops_, .metrics = metrics_, .clock = clock},
                         [&](std::string_view, std::initializer_list<LogField>) { ++lines; });
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(Deliver(exporter, BatchOf({"a"})).ok());
  EXPECT_EQ(lines, 4U);  // 1, 2, 5 and 8
  clock.Advance(1'000'000'000);
  EXPECT_TRUE(Deliver(exporter, BatchOf({"a"})).ok());
  EXPECT_EQ(lines, 5U) << "a new second begins anew";
  EXPECT_EQ(metrics_.Sum("otelcol_exporter_sent_spans"), 9U);
}

// Scenario: normal.
// Guarantees: a line a span too, with its ids.
TEST_F(DebugExporterTest, NormalWritesSpans) {
  const auto lines = LinesAt(DebugOptions::Verbosity::kNormal);
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[1],
            "span name=llm_request service=vllm-decode trace_id=00000000000000000000000000000001 "
            "span_id=0000000000000002 parent_span_id= duration_ns=0 status=0");
}

// Scenario: detailed.
// Guarantees: attributes of span and resource, and events.
TEST_F(DebugExporterTest, DetailedWritesAttributesAndEvents) {
  const auto lines = LinesAt(DebugOptions::Verbosity::kDetailed);
  EXPECT_THAT(lines, Contains("  attribute of=resource key=service.name value=\"vllm-decode\""));
  EXPECT_THAT(lines, Contains("  attribute of=span key=gen_ai.usage.prompt_tokens value=5"));
  EXPECT_THAT(lines, Contains("  event name=first_token time_unix_ns=0"));
}

}  // namespace
}  // namespace spanloom::pipeline
