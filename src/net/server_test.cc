// SPDX-License-Identifier: Apache-2.0

#include "net/server.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "base/text.h"
#include "net/detail/asio.h"
#include "net/testing/certificates.h"
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

// While it lives, this process can open no further file.
class NoFilesLeft {
 public:
  NoFilesLeft() {
    const int lowest_free = dup(STDIN_FILENO);
    CHECK(lowest_free >= 0);
    close(lowest_free);
    CHECK(getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const rlimit none_left = {.rlim_cur = static_cast<rlim_t>(lowest_free), .rlim_max = before_.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &none_left) == 0);
  }
  ~NoFilesLeft() { CHECK(setrlimit(RLIMIT_NOFILE, &before_) == 0); }
  NoFilesLeft(const NoFilesLeft&) = delete;
  NoFilesLeft& operator=(const NoFilesLeft&) = delete;

 private:
  rlimit before_ = {};
};

// Scenario: a client comes while the process has no file descriptor left, and stays until it has one again. Or it has
// one, if the listener looked for clients when they were counted: then the client gets that, and nobody comes later.
// Guarantees: the owner is told that no connections can be accepted, and that they can; the client is served.
TEST(Server, SaysWhenItCanAcceptNothing) {
  LoopPool loops(1);
  MetricRegistry metrics;
  const Promise<Status> failing;
  const Promise<Status> again;
  ServerOptions options = EchoOptions();
  options.on_accepting = [&](const Status& accepting) { (accepting.ok() ? again : failing).Set(accepting); };
  const auto server = StartServer(loops, metrics, std::move(options));
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(client, 0);
  sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(server->port()), .sin_addr = {}, .sin_zero = {}};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  {
    const NoFilesLeft no_files_left;
    ASSERT_EQ(connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(failing.Get().code(), absl::StatusCode::kUnavailable);
  }
  EXPECT_TRUE(again.Get().ok());
  RawPeer peer(RawPeer::Accepted{client});
  ASSERT_TRUE(peer.Send("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
  EXPECT_TRUE(peer.ReadResponse().starts_with("HTTP/1.1 200"));
}

// The answer to one gRPC call over a connection of its own.
StatusOr<Bytes> Echo(LoopPool& loops, const std::string& endpoint) {
  GrpcChannelOptions options;
  options.endpoint = endpoint;
  return TestChannel(loops.At(0), options).Call(kEchoMethod, Bytes::CopyOf("hello"));
}

// Scenario: unix sockets by each way of naming them, with several loops that share the one socket.
// Guarantees: calls are served, the file is there meanwhile, and it goes at Stop.
TEST(Server, ListensOnUnixSockets) {
  LoopPool loops(3);
  MetricRegistry metrics;
  const TestFolder folder;
  const std::string path = folder.PathOf("s");
  for (const std::string& endpoint : {"unix:" + path, "unix://" + path, StrCat("unix-abstract:", path)}) {
    const auto server = Listen(loops, metrics, endpoint);
    ASSERT_TRUE(server.ok()) << server.status();
    EXPECT_EQ((*server)->port(), 0);
    EXPECT_EQ(std::filesystem::exists(path), !endpoint.starts_with("unix-abstract"));
    for (int i = 0; i < 10; ++i) EXPECT_EQ(Echo(loops, endpoint)->view(), "hello") << endpoint;
    (*server)->Stop(std::chrono::milliseconds(0));
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_TRUE(absl::IsUnavailable(Echo(loops, endpoint).status()));
  }
}

// Scenario: the path has a socket that a dead process left, one that is in use, and a file of another kind.
// Guarantees: the first is replaced; the others are left alone, and the error says which it is.
TEST(Server, ReplacesStaleSocketFilesOnly) {
  LoopPool loops(2);
  MetricRegistry metrics;
  const TestFolder folder;
  const std::string path = folder.PathOf("s");
  {
    asio::io_context context;
    const asio::local::stream_protocol::acceptor dead(context, path);
  }
  ASSERT_TRUE(std::filesystem::exists(path));
  const auto server = Listen(loops, metrics, "unix:" + path);
  ASSERT_TRUE(server.ok()) << server.status();
  const Status in_use = Listen(loops, metrics, "unix:" + path).status();
  EXPECT_TRUE(absl::IsUnavailable(in_use));
  EXPECT_NE(in_use.message().find("another process listens there"), absl::string_view::npos) << in_use;
  EXPECT_TRUE(Echo(loops, "unix:" + path).ok());
  const std::string file = folder.Write("file", "precious");
  const Status not_a_socket = Listen(loops, metrics, "unix:" + file).status();
  EXPECT_NE(not_a_socket.message().find("not a socket"), absl::string_view::npos) << not_a_socket;
  EXPECT_TRUE(std::filesystem::exists(file));
}

TEST(Server, RefusesUnixPathsThatMakeNoSense) {
  LoopPool loops(1);
  MetricRegistry metrics;
  for (const std::string& endpoint : {std::string("unix:"), std::string("unix://host/s"), std::string("unix-abstract:"),
                                      "unix:/" + std::string(107, 'x')}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Listen(loops, metrics, endpoint).status())) << endpoint;
  }
}

}  // namespace
}  // namespace spanloom::net
