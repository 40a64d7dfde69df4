// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/health_check.h"

#include <gtest/gtest.h>

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
  HealthCheckExtension extension_{ComponentId{"health_check", ""}, {.endpoint = "127.0.0.1:0"}, context_};
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
// Guarantees: it is answered on the path, and nowhere else.
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
  EXPECT_EQ(SendHttp(loops_.At(0), address, probe)->status, 404);
  extension_.Stop(1s);
}

}  // namespace
}  // namespace spanloom::pipeline
