// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/zpages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/extensions/html_page.h"

namespace spanloom::pipeline {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string TextOf(const net::HttpResponse& response) {
  return std::string(response.body.view());
}

// Scenario: a pipeline, and two components of which one has failed.
// Guarantees: the pages show what the lists hold, extensions apart from the rest.
TEST(ZPages, ShowsPipelinesAndComponents) {
  net::LoopPool loops(1);
  MetricRegistry metrics;
  SimClock clock;
  StatusBoard board(clock);
  PipelineList pipelines;
  ZPagesExtension zpages(
      {"zpages", ""}, {},
      {.loops = loops, .metrics = metrics, .clock = clock, .board = &board, .pipelines = &pipelines});
  const StatusReporter exporter = board.Add(ComponentKind::kExporter, "otlp_grpc", "");
  const StatusReporter extension = board.Add(ComponentKind::kExtension, "zpages", "");
  exporter.ReportRecoverable(absl::UnavailableError("down"));
  pipelines.Show({{.id = "traces/a",
                   .receivers = {"otlp"},
                   .processors = {"filter", "batch"},
                   .exporters = {"otlp_grpc"},
                   .changes_items = true}});
  EXPECT_THAT(TextOf(zpages.Answer("/debug/pipelinez")),
              AllOf(HasSubstr("<tr><td>traces/a</td><td>traces</td><td>yes</td><td>otlp</td><td>filter, batch</td>"
                              "<td>otlp_grpc</td></tr>"),
                    HasSubstr("<td>exporter</td><td>otlp_grpc</td><td></td><td>StatusRecoverableError</td>"),
                    Not(HasSubstr("<td>zpages</td>"))));
  EXPECT_THAT(TextOf(zpages.Answer("/debug/extensionz")),
              AllOf(HasSubstr("<td>extension</td><td>zpages</td>"), Not(HasSubstr("otlp_grpc"))));
}

// Scenario: each page, without an engine.
// Guarantees: they are there and say what is not; the page for programs only if it was asked for.
TEST(ZPages, AnswersEachPath) {
  net::LoopPool loops(1);
  MetricRegistry metrics;
  SimClock clock;
  const BuildContext context{.loops = loops, .metrics = metrics, .clock = clock, .build = "spanloom 1\ncompiler <x>\n"};
  ZPagesExtension plain({"zpages", ""}, {}, context);
  plain.SetReady(true);
  clock.Advance(90'500'000'000);
  EXPECT_THAT(TextOf(plain.Answer("/debug/servicez")),
              AllOf(HasSubstr("<p>spanloom 1</p>\n<p>compiler &lt;x&gt;</p>"), HasSubstr("<td>1m30.5s</td>"),
                    HasSubstr("<td>2026-01-01T00:00:00Z</td>"), Not(HasSubstr("<script"))));
  EXPECT_THAT(TextOf(plain.Answer("/debug/pipelinez")), HasSubstr("None."));
  EXPECT_THAT(TextOf(plain.Answer("/debug/featurez")), HasSubstr("There are none"));
  EXPECT_THAT(TextOf(plain.Answer("/debug/tracez")), HasSubstr("not kept"));
  EXPECT_EQ(plain.Answer("/debug/expvarz").status, 404);
  EXPECT_EQ(plain.Answer("/").status, 404);
  ZPagesExtension with_variables({"zpages", ""}, {.expvar = {.enabled = true}}, context);
  EXPECT_THAT(TextOf(with_variables.Answer("/debug/expvarz")), HasSubstr(R"("uptime_ns":0)"));
}

// Scenario: a text with every character that HTML takes for its own.
// Guarantees: it is shown, and not obeyed.
TEST(HtmlPage, EscapesTexts) {
  EXPECT_EQ(HtmlEscaped(R"(<a href="x">&</a>)"), "&lt;a href=&quot;x&quot;&gt;&amp;&lt;/a&gt;");
}

}  // namespace
}  // namespace spanloom::pipeline
