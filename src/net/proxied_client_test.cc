// SPDX-License-Identifier: Apache-2.0
//
// Clients that go through a proxy.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "base/text.h"
#include "net/client.h"
#include "net/proxy.h"
#include "net/testing/certificates.h"
#include "net/testing/fake_proxy.h"
#include "net/testing/net_fixture.h"

namespace spanloom::net {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// The server's name is known to the proxy alone.
constexpr char kServer[] = "collector.invalid:4317";

class ProxiedClient : public testing::Test {
 protected:
  static Proxy With(const std::string& endpoint) { return *ParseProxy(StrCat("http://user:secret@", endpoint)); }

  // Sends one request, on a client of its own.
  StatusOr<HttpResponse> Send(HttpClientOptions options, std::chrono::milliseconds patience = kPatience) {
    Loop& loop = loops_.At(0);
    client_ = RunOn(loop, [&] { return std::shared_ptr(*HttpClient::Create(loop, std::move(options))); });
    const Promise<StatusOr<HttpResponse>> promise;
    loop.Post([client = client_, promise, patience] {
      HttpRequest request;
      request.method = "POST";
      request.path = "/v1/traces?a=b";
      request.body = Bytes(std::string("body"));
      client->Send(std::move(request), patience, [promise](StatusOr<HttpResponse> r) { promise.Set(std::move(r)); });
    });
    return promise.Get();
  }

  [[nodiscard]] TlsClientOptions Trusting() const {
    TlsClientOptions tls;
    tls.ca_pem = authority_.certificate();
    return tls;
  }

  void StartTls() {
    const TestCertificate certificate = authority_.Issue("server", "DNS:collector.invalid");
    ServerOptions options = EchoOptions();
    options.tls.emplace();
    options.tls->cert_pem = certificate.certificate;
    options.tls->key_pem = certificate.key;
    server_ = StartServer(loops_, metrics_, std::move(options));
  }

  const TestAuthority authority_{"test authority"};
  MetricRegistry metrics_;
  LoopPool loops_{2};
  std::unique_ptr<Server> server_;
  std::shared_ptr<HttpClient> client_;
};

// Scenario: gRPC in cleartext and over TLS to a name that only the proxy knows; messages of several sizes.
// Guarantees: they arrive through a tunnel, which was asked for with the name, the port and the credentials.
TEST_F(ProxiedClient, TunnelsGrpc) {
  server_ = StartServer(loops_, metrics_, EchoOptions());
  FakeProxy proxy(server_->port());
  GrpcChannelOptions options;
  options.endpoint = kServer;
  options.proxy = With(proxy.endpoint());
  TestChannel channel(loops_.At(0), options);
  for (const size_t bytes : {0U, 5U, 3U << 20}) {
    const std::string message = RandomBytes(bytes, bytes);
    const StatusOr<Bytes> answer = channel.Call(kEchoMethod, Bytes(message));
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_TRUE(answer->view() == message);
  }
  EXPECT_EQ(proxy.last_connect(),
            "CONNECT collector.invalid:4317 HTTP/1.1\r\nHost: collector.invalid:4317\r\nUser-Agent: spanloom\r\n"
            "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n");
}

TEST_F(ProxiedClient, TunnelsTls) {
  StartTls();
  FakeProxy proxy(server_->port());
  HttpClientOptions http;
  http.endpoint = kServer;
  http.tls = Trusting();
  http.proxy = With(proxy.endpoint());
  const StatusOr<HttpResponse> response = Send(http);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->body.view(), "body");
  GrpcChannelOptions grpc;
  grpc.endpoint = kServer;
  grpc.tls = Trusting();
  grpc.proxy = With(proxy.endpoint());
  EXPECT_EQ(TestChannel(loops_.At(1), grpc).Call(kEchoMethod, Bytes(std::string("hi")))->view(), "hi");
  client_.reset();
}

// Guarantees: a request without TLS names its server in full, and has the credentials; there is no tunnel.
TEST_F(ProxiedClient, ForwardsPlainRequests) {
  const RawListener proxy;
  std::string head;
  std::thread answers([&] {
    const auto peer = proxy.Accept();
    head = peer->ReadUntil("\r\n\r\nbody");
    peer->Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    peer->ReadAll();
  });
  HttpClientOptions options;
  options.endpoint = "collector.invalid:80";
  options.proxy = With(proxy.endpoint());
  const StatusOr<HttpResponse> response = Send(options);
  client_.reset();
  answers.join();
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->body.view(), "ok");
  EXPECT_THAT(head, StartsWith("POST http://collector.invalid:80/v1/traces?a=b HTTP/1.1\r\n"));
  EXPECT_THAT(head, HasSubstr("proxy-authorization: Basic dXNlcjpzZWNyZXQ=\r\n"));
}

// Scenario: a proxy that refuses, one that says no HTTP, one that hangs up, and one that never answers.
// Guarantees: kUnavailable with the server, the proxy and the reason, without the credentials.
TEST_F(ProxiedClient, SaysWhyThereIsNoTunnel) {
  constexpr std::pair<const char*, const char*> kAnswers[] = {
      {"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "407 Proxy Authentication Required"},
      {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "does not speak HTTP/1.1"},
      {"", "closed the connection"}};
  for (const auto& [answer, reason] : kAnswers) {
    const RawListener proxy;
    std::thread answers([&, answer = answer] {
      const auto peer = proxy.Accept();
      peer->ReadUntil("\r\n\r\n");
      peer->Send(answer);
    });
    HttpClientOptions options;
    options.endpoint = kServer;
    options.tls = Trusting();
    options.proxy = With(proxy.endpoint());
    const Status status = Send(options).status();
    answers.join();
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    const std::string message(status.message());
    EXPECT_THAT(message, HasSubstr(StrCat("collector.invalid:4317 through the proxy ", proxy.endpoint(), ": CONNECT")));
    EXPECT_THAT(message, HasSubstr(reason));
    EXPECT_THAT(message, Not(HasSubstr("dXNlc")));
  }
}

TEST_F(ProxiedClient, GivesUpAProxyThatDoesNotAnswer) {
  const RawListener silent;
  HttpClientOptions options;
  options.endpoint = kServer;
  options.tls = Trusting();
  options.proxy = With(silent.endpoint());
  options.connect_max = std::chrono::milliseconds(50);
  EXPECT_THAT(std::string(Send(options).status().message()), HasSubstr("timed out"));
}

// Guarantees: what has no host can't be reached through a proxy, and is refused when the client is made.
TEST_F(ProxiedClient, NeedsAHostToNameToTheProxy) {
  GrpcChannelOptions options;
  options.endpoint = "unix:/run/x.sock";
  options.proxy = With("127.0.0.1:1");
  EXPECT_TRUE(absl::IsInvalidArgument(
      RunOn(loops_.At(0), [&] { return GrpcChannel::Create(loops_.At(0), options).status(); })));
}

}  // namespace
}  // namespace spanloom::net
