// SPDX-License-Identifier: Apache-2.0

#include "cli/demo/fleet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace spanloom::cli::demo {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Pair;

// The value that follows `name`.
std::string ValueOf(const Command& command, const std::string& name) {
  const auto found = std::find(command.arguments.begin(), command.arguments.end(), name);
  return found == command.arguments.end() ? "(absent)" : *(found + 1);
}

// Guarantees: as many as asked for, none twice.
TEST(Fleet, PicksPortsOfItsOwn) {
  const auto ports = PickPorts({.prefill_count = 3, .decode_count = 4});
  ASSERT_TRUE(ports.ok());
  EXPECT_EQ(ports->prefill.size(), 3u);
  EXPECT_EQ(ports->proxy.size(), 4u);
  std::set<uint16_t> all(ports->prefill.begin(), ports->prefill.end());
  all.insert(ports->decode.begin(), ports->decode.end());
  all.insert(ports->proxy.begin(), ports->proxy.end());
  EXPECT_EQ(all.size(), 11u);
  EXPECT_FALSE(all.contains(0));
  EXPECT_EQ(ports->page, 16686);
  const auto free = PickPorts({.free_ports = true});
  ASSERT_TRUE(free.ok());
  EXPECT_NE(free->page, 16686);
  EXPECT_NE(free->page, free->otlp_grpc);
}

// Scenario: one prefill and two decode pods, traces kept on disk.
// Guarantees: each is told its port, its role and where its spans go; each proxy its own decode pod.
TEST(Fleet, TellsEachPartWhatItNeeds) {
  const auto commands = FleetCommands({.decode_count = 2, .data_dir = "d"},
                                      {.prefill = {1}, .decode = {2, 3}, .side_channel = {6, 7, 8}, .proxy = {4, 5}},
                                      "/bin/spanloom", "/logs");
  std::vector<std::string> names;
  for (const Command& command : commands) names.push_back(command.name);
  ASSERT_THAT(names, ElementsAre("serve", "prefill", "decode-1", "routing-proxy-1", "decode-2", "routing-proxy-2"));
  EXPECT_EQ(ValueOf(commands[0], "--data-dir"), "d");
  EXPECT_THAT(commands[0].arguments, Contains("--set=extensions.spanloom_query.endpoint=127.0.0.1:16686"));
  EXPECT_EQ(ValueOf(commands[1], "--role"), "prefill");
  EXPECT_EQ(ValueOf(commands[1], "--port"), "1");
  EXPECT_EQ(ValueOf(commands[4], "--role"), "decode");
  EXPECT_THAT(commands[4].environment, Contains(Pair("VLLM_NIXL_SIDE_CHANNEL_PORT", "8")));
  EXPECT_EQ(ValueOf(commands[5], "--port"), "5");
  EXPECT_EQ(ValueOf(commands[5], "--vllm-port"), "3");
  EXPECT_EQ(commands[5].log_file, "/logs/routing-proxy-2.log");
  EXPECT_THAT(commands[5].environment, Contains(Pair("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")));
}

}  // namespace
}  // namespace spanloom::cli::demo
