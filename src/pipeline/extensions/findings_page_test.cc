// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/findings_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <utility>

#include "base/mutex.h"

namespace spanloom::pipeline {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// What it was given, or an error.
class FixedFindings final : public findings::FindingsSource {
 public:
  [[nodiscard]] StatusOr<findings::FindingsReport> Find(std::stop_token stop) override {
    if (stop.stop_requested()) return absl::CancelledError("nobody waits");
    return answer;
  }
  StatusOr<findings::FindingsReport> answer = findings::FindingsReport{
      .looked_unix_ns = 1'767'225'600'000'000'000,
      .findings = {{.rule = "filter-drops-get",
                    .severity = "error",
                    .where = "collector.yaml",
                    .line = 8,
                    .what = "name == \"GET\" drops <all>",
                    .fix = "- a\n- b"},
                   {.rule = "live-queue-full", .severity = "warning", .where = "the metrics", .what = "otlp: 3 spans"}},
      .left_out = {"traces: there are none"}};
};

std::string TextOf(const net::HttpResponse& response) {
  return std::string(response.body.view());
}

// Scenario: two findings, one with a fix, and something that was not looked at.
// Guarantees: the page has them all, escaped, fixes line by line, and the time; without findings it says so.
TEST(FindingsPage, ShowsWhatIsWrong) {
  FixedFindings source;
  const FindingsPage page(source);
  EXPECT_THAT(TextOf(page.Answer("", {})),
              AllOf(HasSubstr("<tr><td>error</td><td>filter-drops-get</td><td>collector.yaml:8</td>"
                              "<td>name == &quot;GET&quot; drops &lt;all&gt;</td></tr>"),
                    HasSubstr("<td>live-queue-full</td><td>the metrics</td><td>otlp: 3 spans</td>"),
                    HasSubstr("<pre>- a\n- b</pre>"), HasSubstr("looked at 2026-01-01T00:00:00Z"),
                    HasSubstr("<p>traces: there are none</p>")));
  source.answer = findings::FindingsReport();
  EXPECT_THAT(TextOf(page.Answer("format=html", {})), AllOf(HasSubstr("None."), Not(HasSubstr("Not looked at"))));
}

// Scenario: a program asks; also while the first examination is under way, and for a format that there is not.
// Guarantees: findings and errors in the envelope of /api/insight/findings; the formats that there are.
TEST(FindingsPage, AnswersPrograms) {
  FixedFindings source;
  const FindingsPage page(source);
  const net::HttpResponse found = page.Answer("format=json", {});
  EXPECT_EQ(found.headers.Get("content-type"), "application/json");
  EXPECT_THAT(
      TextOf(found),
      AllOf(HasSubstr(R"({"data":{"looked_us":1767225600000000,"findings":[{"rule":"filter-drops-get")"),
            HasSubstr(R"("left_out":["traces: there are none"]},"total":2,"limit":0,"offset":0,"errors":null})")));
  EXPECT_EQ(page.Answer("format=xml", {}).status, 400);
  source.answer = absl::UnavailableError("under way");
  const net::HttpResponse busy = page.Answer("format=json", {});
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(TextOf(busy), R"({"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":503,"msg":"under way"}]})");
  EXPECT_EQ(page.Answer("", {}).status, 503);
  EXPECT_EQ(TextOf(page.Answer("", {})), "503 under way\n");
}

// Looks until it is told to stop.
class EndlessFindings final : public findings::FindingsSource {
 public:
  [[nodiscard]] StatusOr<findings::FindingsReport> Find(std::stop_token stop) override {
    Notification stopped;
    const std::stop_callback on_stop(stop, [&stopped] { stopped.Notify(); });
    if (!looks.exchange(true)) looking.Notify();
    stopped.Wait();
    return absl::CancelledError("stopped");
  }
  Notification looking;
  std::atomic<bool> looks = false;
};

// Scenario: an examination that takes long, twenty who ask besides, and the end of the extension.
// Guarantees: sixteen may wait and the others are told at once; in the end everybody has an answer, once.
TEST(FindingsPage, GivesUpWhatIsUnderWay) {
  EndlessFindings source;
  std::atomic<int> answers = 0;
  const auto ask = [&](FindingsPage& page) {
    page.Respond({.method = "GET"}, net::HttpResponder([&answers](const net::HttpResponse& response) {
                   EXPECT_EQ(response.status, 503);
                   ++answers;
                 }));
  };
  {
    FindingsPage page(source);
    ask(page);
    source.looking.Wait();
    for (int i = 0; i < 20; ++i) ask(page);
    EXPECT_EQ(answers, 4);
    page.GiveUp();
  }
  EXPECT_EQ(answers, 21);
}

}  // namespace
}  // namespace spanloom::pipeline
