// SPDX-License-Identifier: Apache-2.0

#include "doctor/tracing_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spanloom::doctor {
namespace {

using testing::Pair;

TEST(TracingSettings, TakeAnEndpointApart) {
  EXPECT_THAT(HostAndPort("http://otel-collector:4317/v1"), Pair("otel-collector", "4317"));
  EXPECT_THAT(HostAndPort("otel-collector"), Pair("otel-collector", ""));
  EXPECT_THAT(HostAndPort("[fd00::1]:4317"), Pair("[fd00::1]", "4317"));
  EXPECT_THAT(HostAndPort("http://[fd00::1]"), Pair("[fd00::1]", ""));
  EXPECT_THAT(HostAndPort("dns:///otel-collector:4317"), Pair("otel-collector", "4317"));
  EXPECT_THAT(HostAndPort("dns://10.0.0.10/otel-collector:4317"), Pair("otel-collector", "4317"));
  EXPECT_THAT(HostAndPort("passthrough:///10.0.0.7:4317"), Pair("10.0.0.7", "4317"));
  EXPECT_THAT(HostAndPort("dns://"), Pair("", ""));
}

// Guarantees: whatever way it is written the pod itself is told, and no name or address that only looks like it.
TEST(TracingSettings, TellThePodItself) {
  for (const std::string_view local :
       {"localhost", "localhost:4317", "http://localhost:4317", "127.0.0.1:4317", "https://127.1.2.3/v1/traces",
        "[::1]:4317", "http://[::1]:4317", "dns:///localhost:4317"}) {
    EXPECT_TRUE(IsLocal(local)) << local;
  }
  for (const std::string_view other :
       {"", "localhost.example.com:4317", "http://mylocalhost:4317", "127.example.com:4317", "0.0.0.0:4317",
        "[::]:4317", "http://jaeger-collector:4317/?from=localhost", "10.127.0.1:4317", "${env:MY_POD_IP}:4317"}) {
    EXPECT_FALSE(IsLocal(other)) << other;
  }
}

// Guarantees: what is to be pasted in place of https has a port.
TEST(TracingSettings, KeepThePortOfHttps) {
  for (const auto& [endpoint, fix] :
       {std::pair("https://c:5317", "k: \"http://c:5317\""), {"https://c", "k: \"http://c:4317\""}}) {
    Findings findings;
    CheckEndpoint(config::Node::Scalar(endpoint, config::Node::Style::kQuoted, {}), "k", Wire::kGrpc, findings);
    ASSERT_EQ(findings.all().size(), 1U) << endpoint;
    EXPECT_EQ(findings.all()[0].fix, fix);
  }
}

}  // namespace
}  // namespace spanloom::doctor
