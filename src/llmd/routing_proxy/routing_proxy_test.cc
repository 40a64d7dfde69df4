// SPDX-License-Identifier: Apache-2.0
//
// What belongs to the proxy as a whole: data-parallel ranks, TLS on each side, many streams at once.

#include "llmd/routing_proxy/routing_proxy.h"

#include <gmock/gmock.h>

#include "llmd/routing_proxy/testing/proxy_fixture.h"
#include "net/testing/certificates.h"

namespace spanloom::llmd::routing_proxy {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

using RoutingProxies = ProxyFixture;

constexpr std::string_view kPath = "/v1/completions";

net::TlsServerOptions Tls(const net::TestCertificate& certificate) {
  net::TlsServerOptions tls;
  tls.cert_pem = certificate.certificate;
  tls.key_pem = certificate.key;
  return tls;
}

// Scenario: prefill and decode speak TLS, with certificates of an authority that the proxy is told, and is not.
// Guarantees: both legs are served; or the decode server counts as not there, since nobody can be trusted.
TEST_F(RoutingProxies, SpeakTlsOnBothLegs) {
  const net::TestAuthority authority("proxy test");
  const net::TlsServerOptions tls = Tls(authority.Issue("model", "DNS:localhost,IP:127.0.0.1"));
  FakeModelServer prefiller(
      loops_, [](const auto&) { return JsonAnswer("{\"kv_transfer_params\":{\"a\":1}}"); }, tls);
  FakeModelServer decoder(
      loops_, [](const auto&) { return JsonAnswer("{\"done\":1}"); }, tls);
  ProxyOptions options;
  options.prefiller_tls.emplace().ca_pem = authority.certificate();
  options.decoder_tls.emplace().ca_pem = authority.certificate();
  StartProxy(decoder.port(), options);
  const std::string header = StrCat("x-prefiller-host-port: ", prefiller.target(), "\r\n");
  EXPECT_THAT(Ask(kPath, "{}", header), EndsWith("{\"done\":1}"));
  EXPECT_THAT(std::string(decoder.requests()[0].body.view()), HasSubstr("{\"a\":1}"));
  proxy_.reset();
  options.decoder_tls->ca_pem = net::TestAuthority("another").certificate();
  StartProxy(decoder.port(), options);
  EXPECT_THAT(Ask(kPath, "{}", header), StartsWith("HTTP/1.1 503 "));
  proxy_.reset();
  options.decoder_tls->insecure_skip_verify = true;
  StartProxy(decoder.port(), options);
  EXPECT_THAT(Ask(kPath, "{}", header), EndsWith("{\"done\":1}"));
}

// Scenario: a model server of two ranks; requests at the listener of each, and with a header that names one.
// Guarantees: each rank gets its own; a header goes before the listener, with and without prefill; one that names
// nobody is an error.
TEST_F(RoutingProxies, RouteToRanks) {
  std::unique_ptr<FakeModelServer> first;
  std::unique_ptr<FakeModelServer> second;
  const auto says = [](int rank) {
    return [rank](const auto&) { return JsonAnswer(StrCat("{\"rank\":", rank, "}")); };
  };
  for (int attempt = 0; attempt < 100 && (second == nullptr || !second->is_up());
       ++attempt) {  // side by side, as ranks are
    first = std::make_unique<FakeModelServer>(loops_, says(0));
    second = std::make_unique<FakeModelServer>(loops_, says(1), static_cast<uint16_t>(first->port() + 1));
  }
  ASSERT_TRUE(second->is_up());
  FakeModelServer prefiller(loops_, [](const auto&) { return JsonAnswer("{}"); });
  ProxyOptions options;
  options.data_parallel_size = 2;
  options.pod_ip = "10.1.2.3";
  StartProxy(first->port(), options);
  const auto names = [&](size_t rank) {
    return StrCat("x-data-parallel-host-port: 10.1.2.3:", proxy_->port(rank), "\r\n");
  };
  const std::string prefill = StrCat("x-prefiller-host-port: ", prefiller.target(), "\r\n");
  EXPECT_THAT(Ask(kPath, "{}"), EndsWith("{\"rank\":0}"));
  EXPECT_THAT(Ask(kPath, "{}", names(1)), EndsWith("{\"rank\":1}"));
  EXPECT_THAT(Ask(kPath, "{}", StrCat(names(1), prefill)), EndsWith("{\"rank\":1}"));
  EXPECT_THAT(Ask(kPath, "{}", "x-data-parallel-host-port: 10.1.2.3:1\r\n"),
              AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("no data-parallel rank listens at 10.1.2.3:1")));
  net::RawPeer at_second(proxy_->port(1));
  at_second.Send(Post(kPath, "{}"));
  EXPECT_THAT(at_second.ReadResponse(), EndsWith("{\"rank\":1}"));
  at_second.Send(Post(kPath, "{}", names(0)));
  EXPECT_THAT(at_second.ReadResponse(), EndsWith("{\"rank\":0}"));
}

// Scenario: 300 clients stream at once through two legs, each reading to the end; a few leave half-way.
// Guarantees: every stream that was not left is whole; nothing is left behind.
TEST_F(RoutingProxies, ServeManyStreamsAtOnce) {
  constexpr int kClients = 300;
  std::string events;
  for (int i = 0; i < 200; ++i) StrAppend(events, "data: {\"token\":", i, "}\n\n");
  FakeModelServer prefiller(loops_, [](const auto&) { return JsonAnswer("{\"kv_transfer_params\":{}}"); });
  FakeModelServer decoder(loops_, [&](const auto&) { return EventAnswer(events); });
  StartProxy(decoder.port());
  const std::string request =
      Post("/v1/chat/completions", "{\"stream\":true}", StrCat("x-prefiller-host-port: ", prefiller.target(), "\r\n"));
  std::vector<std::unique_ptr<net::RawPeer>> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<net::RawPeer>(proxy_->port()));
    clients.back()->Send(request);
    if (i % 10 == 0) clients.back().reset();
  }
  for (const auto& client : clients) {
    if (client == nullptr) continue;
    EXPECT_THAT(client->ReadResponse(), EndsWith(StrCat("\r\n\r\n", events)));
  }
  EXPECT_TRUE(net::Eventually([&] { return Gauge("active_requests") == 0; }));
  EXPECT_EQ(Gauge("held_body_bytes"), 0);
  EXPECT_EQ(Count("cut_answers"), 0U);
}

}  // namespace
}  // namespace spanloom::llmd::routing_proxy
