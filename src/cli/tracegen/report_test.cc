// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spanloom::cli::tracegen {
namespace {

using testing::HasSubstr;
using testing::Not;

ExportAnswer Refusal(absl::StatusCode code, const char* name, const char* message) {
  return {.status = absl::Status(code, message), .code = name, .rejected_reason = {}};
}

RunReport MixedReport() {
  RunReport report = {.traces = 100, .spans = 1'100, .wall_ns = 2'000'000'000};
  DeliveryStats& delivery = report.delivery;
  delivery.requests = 5;
  delivery.attempts = 9;
  delivery.plain_bytes = 500'000;
  delivery.wire_bytes = 9'999;
  delivery.Accept({.status = absl::OkStatus(), .code = "OK", .rejected_spans = 30, .rejected_reason = "too old"}, 700,
                  1'000'000);
  AddProblem(Refusal(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT", "bad bytes"), 200, delivery.refused);
  AddProblem(Refusal(absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT", "other"), 50, delivery.refused);
  AddProblem(Refusal(absl::StatusCode::kUnavailable, "UNAVAILABLE", "queue full"), 100, delivery.exhausted);
  AddProblem(Refusal(absl::StatusCode::kUnavailable, "UNAVAILABLE", "queue full"), 50, delivery.abandoned);
  return report;
}

// Scenario: a run in which everything happened.
// Guarantees: the sums are complete: acknowledged and lost spans make up all that were sent.
TEST(DeliveryStats, EverySpanIsInOneSum) {
  const DeliveryStats delivery = MixedReport().delivery;
  EXPECT_EQ(delivery.acknowledged_spans, 670u);
  EXPECT_EQ(delivery.lost_spans(), 30u + 250 + 100 + 50);
  EXPECT_EQ(delivery.acknowledged_spans + delivery.lost_spans(), 1'100u);
}

// Scenario: a receiver that claims to have rejected more spans than the request had.
// Guarantees: no more is subtracted than was sent.
TEST(DeliveryStats, RejectionsAreBoundedByTheRequest) {
  DeliveryStats delivery;
  delivery.Accept({.status = absl::OkStatus(), .code = "OK", .rejected_spans = UINT64_MAX, .rejected_reason = {}}, 10,
                  1);
  EXPECT_EQ(delivery.acknowledged_spans, 0u);
  EXPECT_EQ(delivery.rejected_spans, 10u);
}

TEST(RunReport, TextNamesEveryCause) {
  const std::string text = FormatReport(MixedReport(), {.seed = 42});
  EXPECT_THAT(text, HasSubstr("100 traces, 1,100 spans (shape llmd, seed 42)"));
  EXPECT_THAT(text, HasSubstr("acknowledged  670 spans"));
  EXPECT_THAT(text, HasSubstr("30 spans of accepted requests: too old"));
  EXPECT_THAT(text, HasSubstr("250 spans in 2 requests, INVALID_ARGUMENT: bad bytes"));
  EXPECT_THAT(text, HasSubstr("after 5 retries: 100 spans in 1 request, UNAVAILABLE: queue full"));
  EXPECT_THAT(text, HasSubstr("abandoned     50 spans"));
  EXPECT_THAT(text, HasSubstr("500.0 kB, 10.0 kB on the wire"));
  EXPECT_THAT(text, HasSubstr("335 spans/s"));
  EXPECT_THAT(text, Not(HasSubstr("interrupted")));
}

TEST(RunReport, JsonHasTheSameNumbers) {
  const std::string json = FormatReport(MixedReport(), {.seed = 42, .report = ReportFormat::kJson});
  EXPECT_THAT(json, HasSubstr(R"("acknowledged_spans":670)"));
  EXPECT_THAT(json, HasSubstr(R"("lost_spans":430)"));
  EXPECT_THAT(json, HasSubstr(R"({"code":"INVALID_ARGUMENT","message":"bad bytes","requests":2,"spans":250})"));
  EXPECT_THAT(json, HasSubstr(R"("wall_s":2)"));
}

TEST(RunReport, IsCompleteOnlyIfNothingIsLost) {
  RunReport report;
  report.unsent_spans = 5;  // the user stopped the run: not a loss
  EXPECT_TRUE(report.IsComplete());
  report.delivery.rejected_spans = 1;
  EXPECT_FALSE(report.IsComplete());
  EXPECT_FALSE(MixedReport().IsComplete());
}

}  // namespace
}  // namespace spanloom::cli::tracegen
