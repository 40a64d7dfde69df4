// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/pprof.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/text.h"
#include "config/yaml.h"
#include "pipeline/testing/blocking_client.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

// Scenario: the pages that Go's pprof has, and another one.
// Guarantees: the index lists them; each says how to profile this very process.
TEST(Pprof, SaysHowToGetAProfile) {
  EXPECT_THAT(std::string(PprofExtension::Answer("/debug/pprof/").body.view()), HasSubstr("<a href=\"profile\">"));
  const net::HttpResponse profile = PprofExtension::Answer("/debug/pprof/profile");
  EXPECT_EQ(profile.status, 501);
  EXPECT_THAT(std::string(profile.body.view()), HasSubstr(StrCat("perf record -g -p ", getpid())));
  EXPECT_EQ(PprofExtension::Answer("/debug/pprof/heap").status, 501);
  EXPECT_EQ(PprofExtension::Answer("/debug/pprof/other").status, 404);
  EXPECT_EQ(PprofExtension::Answer("/").status, 404);
}

// Scenario: the Collector's options, all of them; a request over the network.
// Guarantees: they are taken, and it listens.
TEST(Pprof, TakesTheOptionsOfTheCollector) {
  config::Problems problems;
  const auto options = config::ReadOptions<PprofOptions>(
      *config::ParseYaml("{endpoint: '127.0.0.1:0', block_profile_fraction: 3, mutex_profile_fraction: 5, "
                         "save_to_file: /tmp/cpu.prof}",
                         "f"),
      "extensions::pprof", problems);
  EXPECT_THAT(problems.lines(), IsEmpty());
  net::LoopPool loops(1);
  MetricRegistry metrics;
  SimClock clock;
  PprofExtension extension({"pprof", ""}, options, {.loops = loops, .metrics = metrics, .clock = clock});
  ASSERT_TRUE(extension.Start().ok());
  const std::string url = extension.endpoints().at(0).address;
  net::HttpRequest request;
  request.method = "GET";
  request.path = "/debug/pprof/profile";
  request.query = "seconds=1";
  EXPECT_EQ(SendHttp(loops.At(0), url.substr(7, url.find('/', 7) - 7), request)->status, 501);
  extension.Stop(1s);
}

}  // namespace
}  // namespace spanloom::pipeline
