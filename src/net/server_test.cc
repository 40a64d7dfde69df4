// SPDX-License-Identifier: Apache-2.0

#include "net/server.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "net/testing/net_fixture.h"

namespace spanloom::net {
namespace {

StatusOr<std::unique_ptr<Server>> Listen(LoopPool& loops, MetricRegistry& metrics, std::string endpoint) {
  ServerOptions options = EchoOptions();
  options.endpoint = std::move(endpoint);
  return Server::Create(loops, metrics, std::move(options));
}

TEST(Server, PicksAFreePort) {
  LoopPool loops(2);
  MetricRegistry metrics;
  const auto server = Listen(loops, metrics, "127.0.0.1:0");
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_NE((*server)->port(), 0);
  EXPECT_EQ((*server)->endpoint(), StrCat("127.0.0.1:", (*server)->port()));
}

TEST(Server, TakesEndpointsAsUsersWriteThem) {
  LoopPool loops(1);
  MetricRegistry metrics;
  for (const char* endpoint : {"localhost:0", ":0", "0.0.0.0:0"}) {
    const auto server = Listen(loops, metrics, endpoint);
    ASSERT_TRUE(server.ok()) << server.status();
    RawPeer client((*server)->port());
    client.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(client.ReadResponse().starts_with("HTTP/1.1 200 ")) << endpoint;
  }
}

TEST(Server, RefusesEndpointsThatMakeNoSense) {
  LoopPool loops(1);
  MetricRegistry metrics;
  for (const char* endpoint : {"", "localhost", "127.0.0.1:", "127.0.0.1:70000", "::1:4317", "no such host:1"}) {
    const Status status = Listen(loops, metrics, endpoint).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << endpoint << " " << status;
  }
}

// Scenario: a second server on the port of the first, in a process where SO_REUSEPORT would allow it.
// Guarantees: it is refused, with the endpoint in the message; when the first is gone, the port is free.
TEST(Server, RefusesAPortThatIsTaken) {
  LoopPool loops(2);
  MetricRegistry metrics;
  auto first = Listen(loops, metrics, "127.0.0.1:0");
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string endpoint = (*first)->endpoint();
  const Status status = Listen(loops, metrics, endpoint).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_NE(status.message().find(endpoint), absl::string_view::npos) << status;
  first->reset();
  EXPECT_TRUE(Listen(loops, metrics, endpoint).ok());
}

TEST(Server, RefusesAnAddressOfAnotherMachine) {
  LoopPool loops(1);
  MetricRegistry metrics;
  EXPECT_TRUE(absl::IsUnavailable(Listen(loops, metrics, "192.0.2.1:0").status()));
}

TEST(Server, CountsItsConnections) {
  LoopPool loops(2);
  MetricRegistry metrics;
  auto server = Listen(loops, metrics, "127.0.0.1:0");
  ASSERT_TRUE(server.ok()) << server.status();
  const auto shows = [&](int count) {
    const std::string line = StrCat("spanloom_net_connections{server=\"test\"} ", count, "\n");
    return Eventually([&] { return metrics.Render().find(line) != std::string::npos; });
  };
  {
    const RawPeer first((*server)->port());
    const RawPeer second((*server)->port());
    EXPECT_TRUE(shows(2));
  }
  EXPECT_TRUE(shows(0));
  server->reset();
  EXPECT_EQ(metrics.Render().find("spanloom_net_connections{"), std::string::npos);
}

}  // namespace
}  // namespace spanloom::net
