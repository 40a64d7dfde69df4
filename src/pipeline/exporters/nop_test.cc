// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/nop.h"

#include <gtest/gtest.h>

#include "pipeline/exporters/export_counters.h"
#include "pipeline/testing/fake_consumer.h"
#include "store/conformance/request_builder.h"

namespace spanloom::pipeline {
namespace {

// Scenario: a batch of two spans.
// Guarantees: OK, and both are counted as sent under the exporter's name.
TEST(NopExporter, CountsWhatItTakes) {
  net::LoopPool loops(1);
  MetricRegistry metrics;
  const BuildContext context{.loops = loops, .metrics = metrics, .clock = Clock::System()};
  NopExporter exporter(ComponentId{"nop", "sink"}, context);
  store::RequestBuilder request;
  request.FromService("checkout");
  for (uint64_t i = 1; i <= 2; ++i) {
    request.Add({.trace_id = store::MakeTraceId(1), .span_id = store::MakeSpanId(i), .name = "charge"});
  }
  EXPECT_TRUE(Deliver(exporter, request.Build()).ok());
  EXPECT_EQ(SentItems(metrics, "nop/sink").value(), 2);
}

}  // namespace
}  // namespace spanloom::pipeline
