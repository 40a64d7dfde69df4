// SPDX-License-Identifier: Apache-2.0

#include "app/routing_proxy_flags.h"

#include <absl/algorithm/container.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

namespace spanloom::app {
namespace {

using llmd::routing_proxy::Connector;
using testing::HasSubstr;

// What a command line becomes; the message of what is wrong with it otherwise.
std::string Parse(std::vector<std::string> arguments, RoutingProxyFlags& flags) {
  CLI::App command;
  DeclareRoutingProxyFlags(command, flags);
  absl::c_reverse(arguments);
  try {
    command.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return error.what();
  }
  return "";
}

// Scenario: the command line of the ModelService chart, and the same with the router's names.
// Guarantees: both are understood alike.
TEST(RoutingProxyFlags, KnowTheNamesOfBothGenerations) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"--port=8000", "--vllm-port=8200", "--connector=sglang", "--secure-proxy=false", "--prefiller-use-tls",
            "--prefiller-tls-insecure-skip-verify"},
           {"--port", "8000", "--model-server-port", "8200", "--kv-connector", "sglang", "--secure-serving=false",
            "--enable-tls=prefiller", "--tls-insecure-skip-verify", "prefiller"}}) {
    RoutingProxyFlags flags;
    ASSERT_EQ(Parse(arguments, flags), "");
    EXPECT_FALSE(flags.is_secure);
    const auto options = ProxyOptionsOf(flags);
    ASSERT_TRUE(options.ok()) << options.status();
    EXPECT_EQ(options->decoder_port, 8200);
    EXPECT_EQ(options->connector, Connector::kSglang);
    ASSERT_TRUE(options->prefiller_tls.has_value());
    EXPECT_TRUE(options->prefiller_tls->insecure_skip_verify);
    EXPECT_FALSE(options->decoder_tls.has_value());
  }
}

TEST(RoutingProxyFlags, HaveTheDefaultsOfTheSidecar) {
  RoutingProxyFlags flags;
  ASSERT_EQ(Parse({}, flags), "");
  const auto options = ProxyOptionsOf(flags);
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->port, 8000);
  EXPECT_EQ(options->decoder_port, 8001);
  EXPECT_EQ(options->connector, Connector::kNixlV2);
  EXPECT_TRUE(flags.is_secure);
  EXPECT_TRUE(flags.is_tracing);
  EXPECT_TRUE(options->falls_back);
  EXPECT_EQ(options->prefill_retries_max, 0U);
  EXPECT_EQ(options->retry_backoff.count(), 200);
  EXPECT_TRUE(PrefillRulesOf(flags)->allows_all());
}

TEST(RoutingProxyFlags, SayWhatIsWrong) {
  RoutingProxyFlags flags;
  EXPECT_THAT(Parse({"--decode-chunk-size=64"}, flags), HasSubstr("decode-chunk-size"));
  EXPECT_EQ(Parse({"--decode-chunk-size=0"}, flags), "");
  EXPECT_THAT(Parse({"--prefill-timeout=soon"}, flags), HasSubstr("no duration"));
  EXPECT_NE(Parse({"--no-such-flag"}, flags), "");
  flags.connector = "nixl";
  EXPECT_THAT(std::string(ProxyOptionsOf(flags).status().message()), HasSubstr("nixlv2, shared-storage"));
  flags = {};
  flags.tls_stages = {"encoder"};
  EXPECT_THAT(std::string(ProxyOptionsOf(flags).status().message()), HasSubstr("prefiller, decoder"));
  flags = {};
  flags.port = 65'535;
  flags.data_parallel_size = 2;
  EXPECT_FALSE(ProxyOptionsOf(flags).ok());
}

// Scenario: SSRF protection with nothing to go by, with a pool by either pair of flags, with hosts.
// Guarantees: the first is an error that says what is missing; a pool without a namespace is in "default".
TEST(RoutingProxyFlags, SayWhoMayBeAskedForPrefill) {
  RoutingProxyFlags flags;
  flags.protects_from_ssrf = true;
  EXPECT_THAT(std::string(PrefillRulesOf(flags).status().message()), HasSubstr("--inference-pool"));
  flags.pool = "prod/pool";
  EXPECT_EQ(PrefillRulesOf(flags)->pool->name_space, "prod");
  flags.pool = "pool";
  EXPECT_EQ(PrefillRulesOf(flags)->pool->name_space, "default");
  flags.pool_group = "other";
  EXPECT_FALSE(PrefillRulesOf(flags).ok());
  flags = {};
  flags.allowed_prefillers = {"10.0.0.1"};
  EXPECT_FALSE(PrefillRulesOf(flags)->allows_all());
  EXPECT_FALSE(PrefillRulesOf(flags)->pool.has_value());
}

TEST(RoutingProxyFlags, MetricsListenWhereTheyAreToldTo) {
  const auto endpoint = [](const std::vector<std::string>& arguments) {
    RoutingProxyFlags flags;
    EXPECT_EQ(Parse(arguments, flags), "");
    return MetricsEndpoint(flags);
  };
  EXPECT_EQ(endpoint({}), "");
  EXPECT_EQ(endpoint({"--metrics-host=127.0.0.1"}), "");
  EXPECT_EQ(endpoint({"--metrics-port=9090"}), ":9090");
  EXPECT_EQ(endpoint({"--metrics-port=9090", "--metrics-host=::1"}), "[::1]:9090");
  EXPECT_EQ(endpoint({"--metrics-port=9090", "--metrics-host=[::1]"}), "[::1]:9090");
  EXPECT_EQ(endpoint({"--metrics-host=[::1]:0"}), "[::1]:0");
  EXPECT_EQ(endpoint({"--metrics-host=127.0.0.1:0"}), "127.0.0.1:0");
}

}  // namespace
}  // namespace spanloom::app
