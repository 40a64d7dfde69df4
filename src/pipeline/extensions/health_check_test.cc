// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/health_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/jumping_clock.h"
#include "pipeline/testing/blocking_client.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;

class HealthCheckTest : public testing::Test {
 protected:
  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  SimClock clock_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = clock_};
  HealthCheckExtension extension_{ComponentId{"health_check", ""}, {.server = {.endpoint = "127.0.0.1:0"}}, context_};
};

// Scenario: before the pipelines run, while they do, and when they stop.
// Guarantees: 503, 200 with the time since, and 503 again, in the Collector's words.
TEST_F(HealthCheckTest, SaysWhetherThePipelinesRun) {
  EXPECT_EQ(extension_.Answer().status, 503);
  EXPECT_EQ(extension_.Answer().body.view(),
            R"({"status":"Server not available","upSince":"0001-01-01T00:00:00Z","uptime":""})");
  extension_.SetReady(true);
  clock_.Advance(90'500'000'000);
  EXPECT_EQ(extension_.Answer().status, 200);
  EXPECT_EQ(extension_.Answer().body.view(),
            R"({"status":"Server available","upSince":"2026-01-01T00:00:00Z","uptime":"1m30.5s"})");
  extension_.SetReady(false);
  EXPECT_EQ(extension_.Answer().status, 503);
}

// Scenario: a probe over the network.
// Guarantees: it is answered on the path, and, as that ends with a slash, below it.
TEST_F(HealthCheckTest, AnswersProbes) {
  ASSERT_TRUE(extension_.Start().ok());
  extension_.SetReady(true);
  const std::string url = extension_.endpoints().at(0).address;
  const std::string address = url.substr(7, url.size() - 8);  // without http:// and the path
  net::HttpRequest probe;
  probe.method = "GET";
  probe.path = "/";
  EXPECT_EQ(SendHttp(loops_.At(0), address, probe)->status, 200);
  probe.path = "/other";
  EXPECT_EQ(SendHttp(loops_.At(0), address, probe)->status, 200);
  extension_.Stop(1s);
}

// Scenario: bodies of one's own.
// Guarantees: they are answered instead of the JSON text.
TEST_F(HealthCheckTest, AnswersWithBodiesOfOnesOwn) {
  HealthCheckExtension extension({"health_check", ""}, {.response_body = {.healthy = "yes", .unhealthy = "no"}},
                                 context_);
  EXPECT_EQ(extension.Answer().body.view(), "no");
  extension.SetReady(true);
  EXPECT_EQ(extension.Answer().status, 200);
  EXPECT_EQ(extension.Answer().body.view(), "yes");
}

// Scenario: an exporter's destination has been away for a moment; the wall clock jumps a day ahead, and back by two.
// Guarantees: neither the time that the error has lasted nor the time of readiness jumps with it.
TEST_F(HealthCheckTest, GoesByAClockThatDoesNotJump) {
  JumpingClock clock;
  StatusBoard board(clock);
  BuildContext context{.loops = loops_, .metrics = metrics_, .clock = clock};
  context.board = &board;
  HealthCheckExtension extension({"health_check", ""},
                                 {.component_health = {.include_recoverable_errors = true, .recovery_duration = 1h}},
                                 context);
  extension.SetReady(true);
  const StatusReporter exporter = board.Add(ComponentKind::kExporter, "otlp_grpc", "");
  exporter.ReportRecoverable(absl::UnavailableError("down"));
  for (const int64_t offset_ns : {kDayNs, -kDayNs}) {
    clock.Set(offset_ns);
    clock.Advance(1'000'000'000);
    EXPECT_EQ(extension.Answer().status, 200);
  }
  EXPECT_THAT(std::string(extension.Answer().body.view()), testing::HasSubstr(R"("uptime":"2s")"));
  clock.Advance(std::chrono::nanoseconds(1h).count());
  EXPECT_EQ(extension.Answer().status, 503);
}

// Scenario: an exporter's destination goes away, and a receiver fails for good; with and without component_health.
// Guarantees: liveness alone unless told otherwise; a recoverable error counts when it has lasted.
TEST_F(HealthCheckTest, CountsComponentsIfToldSo) {
  StatusBoard board(clock_);
  BuildContext context = context_;
  context.board = &board;
  HealthCheckExtension plain({"health_check", ""}, {}, context);
  HealthCheckExtension strict(
      {"health_check", "strict"},
      {.component_health = {.include_permanent_errors = true, .include_recoverable_errors = true}}, context);
  plain.SetReady(true);
  strict.SetReady(true);
  const StatusReporter exporter = board.Add(ComponentKind::kExporter, "otlp_grpc", "");
  exporter.ReportRecoverable(absl::UnavailableError("down"));
  EXPECT_EQ(strict.Answer().status, 200);
  clock_.Advance(60'000'000'000);
  EXPECT_EQ(strict.Answer().status, 503);
  EXPECT_THAT(std::string(strict.Answer().body.view()), testing::HasSubstr("Server not available"));
  exporter.ReportOk();
  EXPECT_EQ(strict.Answer().status, 200);
  board.Add(ComponentKind::kReceiver, "otlp", "").ReportPermanent(absl::UnavailableError("port"));
  EXPECT_EQ(strict.Answer().status, 200);  // nobody has it any more
  const StatusReporter receiver = board.Add(ComponentKind::kReceiver, "otlp", "");
  receiver.ReportPermanent(absl::UnavailableError("port"));
  EXPECT_EQ(strict.Answer().status, 503);
  EXPECT_EQ(plain.Answer().status, 200);
}

}  // namespace
}  // namespace spanloom::pipeline
