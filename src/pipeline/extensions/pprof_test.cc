// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/pprof.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/text.h"
#include "config/yaml.h"
#include "net/compression.h"
#include "pipeline/testing/blocking_client.h"
#include "store/disk/temporary_directory.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

// Scenario: the pages that Go's pprof has, and another one.
// Guarantees: the index lists them; those that are not here say how to profile this very process.
TEST(Pprof, SaysHowToGetAProfile) {
  EXPECT_THAT(std::string(PprofExtension::Answer("/debug/pprof/").body.view()), HasSubstr("<a href=\"profile\">"));
  const net::HttpResponse heap = PprofExtension::Answer("/debug/pprof/heap");
  EXPECT_EQ(heap.status, 501);
  EXPECT_THAT(std::string(heap.body.view()), HasSubstr(StrCat("perf record -g -p ", getpid())));
  EXPECT_EQ(PprofExtension::Answer("/debug/pprof/other").status, 404);
  EXPECT_EQ(PprofExtension::Answer("/").status, 404);
}

// Scenario: the Collector's options, all of them; a request over the network.
// Guarantees: they are taken, and it listens.
TEST(Pprof, TakesTheOptionsOfTheCollector) {
  config::Problems problems;
  const auto options = config::ReadOptions<PprofOptions>(
      *config::ParseYaml("{endpoint: '127.0.0.1:0', block_profile_fraction: 3, mutex_profile_fraction: 5, "
                         "save_to_file: ''}",
                         "f"),
      "extensions::pprof", problems);
  EXPECT_THAT(problems.lines(), IsEmpty());
  net::LoopPool loops(1);
  MetricRegistry metrics;
  SimClock clock;
  PprofExtension extension({"pprof", ""}, options, {.loops = loops, .metrics = metrics, .clock = clock});
  ASSERT_TRUE(extension.Start().ok());
  const std::string url = extension.endpoints().at(0).address;
  const auto get = [&](const std::string& query) {
    net::HttpRequest request;
    request.method = "GET";
    request.path = "/debug/pprof/profile";
    request.query = query;
    return *SendHttp(loops.At(0), url.substr(7, url.find('/', 7) - 7), request);
  };
  EXPECT_EQ(get("seconds=0").status, 400);
  EXPECT_EQ(get("seconds=301").status, 400);
  EXPECT_EQ(get("seconds=x").status, 400);
  const net::HttpResponse profile = get("seconds=1");
  EXPECT_EQ(profile.status, 200);
  EXPECT_EQ(profile.headers.Get("content-type"), "application/octet-stream");
  EXPECT_TRUE(net::Decompress(net::Compression::kGzip, profile.body.view(), 1 << 20).ok());
  extension.Stop(1s);
}

// Scenario: a profile of the whole run, while another one is asked for; then a file that can't be written.
// Guarantees: it is in the file after the stop; the other one is told to come again; the last is an error at the start.
TEST(Pprof, SavesAProfileOfTheWholeRun) {
  const auto dir = *store::disk::TemporaryDirectory::Make();
  const std::string path = StrCat(dir.path(), "/cpu.pprof");
  net::LoopPool loops(1);
  MetricRegistry metrics;
  SimClock clock;
  const BuildContext context{.loops = loops, .metrics = metrics, .clock = clock};
  PprofExtension extension({"pprof", ""}, {.endpoint = "127.0.0.1:0", .save_to_file = path}, context);
  ASSERT_TRUE(extension.Start().ok());
  const std::string url = extension.endpoints().at(0).address;
  net::HttpRequest request;
  request.method = "GET";
  request.path = "/debug/pprof/profile";
  request.query = "seconds=1";
  EXPECT_EQ(SendHttp(loops.At(0), url.substr(7, url.find('/', 7) - 7), request)->status, 503);
  extension.Stop(1s);
  std::stringstream saved;
  saved << std::ifstream(path, std::ios::binary).rdbuf();
  EXPECT_TRUE(net::Decompress(net::Compression::kGzip, saved.str(), 1 << 20).ok());
  PprofExtension nowhere({"pprof", ""}, {.endpoint = "127.0.0.1:0", .save_to_file = dir.path()}, context);
  EXPECT_THAT(StdView(nowhere.Start().message()), HasSubstr("save_to_file"));
}

// Scenario: two profiles at a time; then a stop while the first is being made.
// Guarantees: the second is told to come again, and the stop does not wait.
TEST(Pprof, MakesOneAtATime) {
  net::LoopPool loops(2);
  MetricRegistry metrics;
  PprofExtension extension({"pprof", ""}, {.endpoint = "127.0.0.1:0"},
                           {.loops = loops, .metrics = metrics, .clock = Clock::System()});
  ASSERT_TRUE(extension.Start().ok());
  const std::string url = extension.endpoints().at(0).address;
  const auto get = [&](size_t loop) {
    net::HttpRequest request;
    request.method = "GET";
    request.path = "/debug/pprof/profile";
    request.query = "seconds=300";
    return SendHttp(loops.At(loop), url.substr(7, url.find('/', 7) - 7), request);
  };
  std::atomic<int> refused = 0;
  std::vector<std::thread> clients;
  for (const size_t loop : {0, 1}) {
    clients.emplace_back([&, loop] {
      const auto answer = get(loop);
      if (answer.ok() && answer->status == 503) ++refused;
    });
  }
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (refused == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(refused, 1);
  extension.Stop(20s);
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(refused, 2);
}

}  // namespace
}  // namespace spanloom::pipeline
