// SPDX-License-Identifier: Apache-2.0
//
// TLS from end to end: our clients against our server over loopback, with certificates made here.

#include "net/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "net/detail/tls_credentials.h"
#include "net/testing/certificates.h"
#include "net/testing/net_fixture.h"

namespace spanloom::net {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kLoopbackNames[] = "DNS:localhost,IP:127.0.0.1";

class Tls : public testing::Test {
 protected:
  // Options of a server with `certificate`.
  static TlsServerOptions ServerTls(const TestCertificate& certificate) {
    TlsServerOptions tls;
    tls.cert_pem = certificate.certificate;
    tls.key_pem = certificate.key;
    return tls;
  }

  void Start(TlsServerOptions tls, ServerOptions options = EchoOptions()) {
    options.tls = std::move(tls);
    server_ = StartServer(loops_, metrics_, std::move(options));
  }

  [[nodiscard]] TlsClientOptions Trusting(const TestAuthority& authority) const {
    TlsClientOptions tls;
    tls.ca_pem = authority.certificate();
    return tls;
  }

  // Makes one call with a channel of its own.
  StatusOr<Bytes> Call(TlsClientOptions tls, std::string message = "hello") {
    GrpcChannelOptions options;
    options.endpoint = server_->endpoint();
    options.tls = std::move(tls);
    return TestChannel(loops_.At(0), options).Call(kEchoMethod, Bytes(std::move(message)));
  }

  std::string Failure(TlsClientOptions tls) { return std::string(Call(std::move(tls)).status().message()); }

  [[nodiscard]] uint64_t Refused(const std::string& cause) const {
    return metrics_.Sum("spanloom_net_refused", {{"cause", cause}});
  }

  LoopPool loops_{2};
  MetricRegistry metrics_;
  const TestAuthority authority_{"test authority"};
  const TestAuthority stranger_{"another authority"};
  const TestFolder folder_;
  std::unique_ptr<Server> server_;
};

// Scenario: messages from nothing to 3 MiB, far more than a record of TLS or a window of HTTP/2.
// Guarantees: they come back as they were.
TEST_F(Tls, CarriesGrpc) {
  Start(ServerTls(authority_.Issue("server", kLoopbackNames)));
  for (const size_t bytes : {0U, 5U, 16'384U, 3U << 20}) {
    const std::string message = RandomBytes(bytes, bytes);
    const StatusOr<Bytes> answer = Call(Trusting(authority_), message);
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_TRUE(answer->view() == message) << bytes;
  }
  EXPECT_EQ(Refused("tls_handshake"), 0U);
}

// Scenario: HTTP/1.1 with several requests on one connection, and a body of many records.
// Guarantees: as without TLS.
TEST_F(Tls, CarriesHttp1) {
  Start(ServerTls(authority_.Issue("server", kLoopbackNames)));
  Loop& loop = loops_.At(0);
  const auto client = RunOn(loop, [&] {
    HttpClientOptions options;
    options.endpoint = StrCat("localhost:", server_->port());
    options.tls = Trusting(authority_);
    return std::shared_ptr(*HttpClient::Create(loop, options));
  });
  for (const size_t bytes : {0U, 5U, 3U << 20}) {
    const std::string body = RandomBytes(bytes, bytes);
    const Promise<StatusOr<HttpResponse>> promise;
    loop.Post([&, promise] {
      HttpRequest request;
      request.method = "POST";
      request.path = "/v1/traces";
      request.body = Bytes(body);
      client->Send(std::move(request), kPatience, [promise](StatusOr<HttpResponse> r) { promise.Set(std::move(r)); });
    });
    const StatusOr<HttpResponse> response = promise.Get();
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_TRUE(response->body.view() == body) << bytes;
  }
}

// Scenario: servers whose certificate is another authority's, or for another name.
// Guarantees: the client leaves and says why; insecure_skip_verify takes both, server_name_override the second.
TEST_F(Tls, ClientsCheckTheServer) {
  Start(ServerTls(authority_.Issue("server", "DNS:collector.example")));
  EXPECT_THAT(Failure(Trusting(stranger_)), AllOf(HasSubstr("TLS handshake"), HasSubstr("local issuer certificate")));
  EXPECT_THAT(Failure(Trusting(authority_)), HasSubstr("IP address mismatch"));
  TlsClientOptions other_name = Trusting(authority_);
  other_name.server_name_override = "elsewhere.example";
  EXPECT_THAT(Failure(other_name), HasSubstr("hostname mismatch"));
  TlsClientOptions right_name = Trusting(authority_);
  right_name.server_name_override = "collector.example";
  EXPECT_TRUE(Call(right_name).ok());
  TlsClientOptions anybody;
  anybody.insecure_skip_verify = true;
  EXPECT_TRUE(Call(anybody).ok());
}

// Scenario: a server with client_ca_file; clients with its certificate, with none, and with a stranger's.
// Guarantees: only the first is served; the others are refused and counted, and the client hears of it.
TEST_F(Tls, ServersCheckTheirClients) {
  TlsServerOptions tls = ServerTls(authority_.Issue("server", kLoopbackNames));
  tls.client_ca_file = folder_.Write("client_ca.pem", authority_.certificate());
  Start(tls);
  const auto with = [&](const TestCertificate& certificate) {
    TlsClientOptions client = Trusting(authority_);
    client.cert_pem = certificate.certificate;
    client.key_pem = certificate.key;
    return client;
  };
  EXPECT_TRUE(Call(with(authority_.Issue("client", "DNS:client"))).ok());
  EXPECT_TRUE(absl::IsUnavailable(Call(Trusting(authority_)).status()));
  EXPECT_TRUE(absl::IsUnavailable(Call(with(stranger_.Issue("client", "DNS:client"))).status()));
  EXPECT_TRUE(Eventually([&] { return Refused("tls_handshake") == 2; }));
}

// Scenario: cleartext comes to a port of TLS, and TLS to a port of cleartext.
// Guarantees: both ends refuse, the server counts, and nobody waits.
// Who a request says that it is from.
std::string Describe(const std::shared_ptr<const PeerCertificate>& peer) {
  if (peer == nullptr) return "nobody";
  std::string text = peer->subject;
  for (const auto* names : {&peer->dns_names, &peer->uris, &peer->email_addresses, &peer->ip_addresses}) {
    for (const std::string& name : *names) StrAppend(text, " ", name);
  }
  return text;
}

ServerOptions DescribingOptions() {
  ServerOptions options = EchoOptions();
  options.grpc[kEchoMethod] = [](GrpcRequest request, GrpcResponder responder) {
    std::move(responder).Respond(Bytes(Describe(request.peer_certificate)));
  };
  options.http = [](HttpRequest request, HttpResponder responder) {
    std::move(responder).Respond(TextResponse(200, Describe(request.peer_certificate)));
  };
  return options;
}

// Scenario: a server that asks for certificates; a client whose certificate has a subject and names of every kind.
// Guarantees: handlers of gRPC and of HTTP/1.1 see whom the certificate is for.
TEST_F(Tls, HandlersSeeTheClientsCertificate) {
  TlsServerOptions tls = ServerTls(authority_.Issue("server", kLoopbackNames));
  tls.client_ca_file = folder_.Write("client_ca.pem", authority_.certificate());
  Start(tls, DescribingOptions());
  const std::string names = "DNS:a.example,URI:spiffe://example/agent,email:a@example,IP:10.0.0.1,IP:::1,DNS:b.example";
  const TestCertificate certificate = authority_.Issue("agent, of \u00fc", names);
  TlsClientOptions client = Trusting(authority_);
  client.cert_pem = certificate.certificate;
  client.key_pem = certificate.key;
  constexpr std::string_view kExpected =
      "CN=agent\\, of \u00fc a.example b.example spiffe://example/agent a@example 10.0.0.1 ::1";
  EXPECT_EQ(Call(client)->view(), kExpected);

  Loop& loop = loops_.At(0);
  const auto http = RunOn(loop, [&] {
    return std::shared_ptr(*HttpClient::Create(loop, {.endpoint = server_->endpoint(), .tls = client}));
  });
  const Promise<StatusOr<HttpResponse>> promise;
  loop.Post([&, promise] {
    HttpRequest request;
    request.method = "GET";
    request.path = "/";
    http->Send(std::move(request), kPatience, [promise](StatusOr<HttpResponse> r) { promise.Set(std::move(r)); });
  });
  EXPECT_EQ(promise.Get()->body.view(), kExpected);
}

// Scenario: a client shows a certificate that nobody asked for.
// Guarantees: handlers see nobody, since nothing was verified.
TEST_F(Tls, HandlersSeeNoCertificateThatWasNotAskedFor) {
  Start(ServerTls(authority_.Issue("server", kLoopbackNames)), DescribingOptions());
  const TestCertificate certificate = stranger_.Issue("agent", "DNS:a.example");
  TlsClientOptions client = Trusting(authority_);
  client.cert_pem = certificate.certificate;
  client.key_pem = certificate.key;
  EXPECT_EQ(Call(client)->view(), "nobody");
}

TEST_F(Tls, RefusesCleartext) {
  Start(ServerTls(authority_.Issue("server", kLoopbackNames)));
  RawPeer client(server_->port());
  client.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.ReadAll(), Not(HasSubstr("HTTP/1.1 200")));
  EXPECT_EQ(Refused("tls_handshake"), 1U);
  server_ = StartServer(loops_, metrics_, EchoOptions());
  EXPECT_THAT(Failure(Trusting(authority_)), HasSubstr("TLS handshake"));
}

// Scenario: a client connects and begins no handshake.
// Guarantees: it is sent away when a request would be, and counted.
TEST_F(Tls, BoundsTheTimeOfAHandshake) {
  ServerOptions options = EchoOptions();
  options.limits.request_max = std::chrono::milliseconds(20);
  Start(ServerTls(authority_.Issue("server", kLoopbackNames)), std::move(options));
  RawPeer client(server_->port());
  client.Send("\x16\x03\x01");
  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_EQ(Refused("timeout"), 1U);
}

// Scenario: the files of the certificate are replaced by another authority's while a connection is open; then by
// nonsense.
// Guarantees: new connections get the new certificate, the open one lives on, and nonsense changes nothing.
TEST_F(Tls, FollowsItsFiles) {
  const TestCertificate old_certificate = authority_.Issue("server", kLoopbackNames);
  TlsServerOptions tls;
  tls.cert_file = folder_.Write("cert.pem", old_certificate.certificate);
  tls.key_file = folder_.Write("key.pem", old_certificate.key);
  tls.reload_interval = std::chrono::milliseconds(5);
  Start(tls);
  GrpcChannelOptions options;
  options.endpoint = server_->endpoint();
  options.tls = Trusting(authority_);
  TestChannel open_channel(loops_.At(0), options);
  EXPECT_TRUE(open_channel.Call(kEchoMethod, Bytes()).ok());

  const TestCertificate new_certificate = stranger_.Issue("server", kLoopbackNames);
  folder_.Write("cert.pem", new_certificate.certificate);
  folder_.Write("key.pem", new_certificate.key);
  EXPECT_TRUE(Eventually([&] { return Call(Trusting(stranger_)).ok(); }));
  EXPECT_FALSE(Call(Trusting(authority_)).ok());
  EXPECT_TRUE(open_channel.Call(kEchoMethod, Bytes()).ok());
}

TEST_F(Tls, KeepsWhatItHasWhenNewFilesAreBroken) {
  const TestCertificate certificate = authority_.Issue("server", kLoopbackNames);
  TlsServerOptions tls;
  tls.cert_file = folder_.Write("cert.pem", certificate.certificate);
  tls.key_file = folder_.Write("key.pem", certificate.key);
  const auto credentials = *TlsCredentials::ForServer(tls, "test");
  EXPECT_FALSE(credentials->Reload());  // nothing is new
  testing::internal::CaptureStderr();
  folder_.Write("key.pem", stranger_.Issue("server", kLoopbackNames).key);
  EXPECT_FALSE(credentials->Reload());
  EXPECT_FALSE(credentials->Reload());
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, AllOf(HasSubstr(tls.key_file), HasSubstr("does not fit")));
  EXPECT_EQ(log.find("can't be used"), log.rfind("can't be used")) << "said once";
  const TestCertificate next = authority_.Issue("server", kLoopbackNames);
  folder_.Write("cert.pem", next.certificate);
  folder_.Write("key.pem", next.key);
  EXPECT_TRUE(credentials->Reload());
}

// Scenario: files and options that make no sense.
// Guarantees: the error names the file or option and what to do, and never shows the key.
TEST_F(Tls, SaysWhatIsWrongWithFilesAndOptions) {
  const TestCertificate certificate = authority_.Issue("server", kLoopbackNames);
  const auto failure = [&](const std::function<void(TlsServerOptions&)>& change) {
    TlsServerOptions tls = ServerTls(certificate);
    change(tls);
    ServerOptions options = EchoOptions();
    options.tls = tls;
    const Status status = Server::Create(loops_, metrics_, std::move(options)).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_EQ(std::string(status.message()).find(certificate.key.substr(40, 30)), std::string::npos);
    return std::string(status.message());
  };
  const std::string absent = folder_.PathOf("absent.pem");
  EXPECT_THAT(failure([&](auto& tls) { tls.cert_pem = "", tls.cert_file = absent; }),
              AllOf(HasSubstr(absent), HasSubstr("No such file")));
  EXPECT_THAT(failure([&](auto& tls) { tls.client_ca_file = folder_.PathOf(""); }), HasSubstr("Is a directory"));
  EXPECT_THAT(failure([&](auto& tls) { tls.client_ca_file = folder_.Write("ca.pem", "nonsense"); }),
              AllOf(HasSubstr("ca.pem"), HasSubstr("no certificate in it")));
  EXPECT_THAT(failure([&](auto& tls) { tls.key_pem = tls.cert_pem; }), HasSubstr("key_pem: no private key"));
  EXPECT_THAT(failure([&](auto& tls) { tls.key_pem = ""; }), HasSubstr("set key_file or key_pem"));
  EXPECT_THAT(failure([&](auto& tls) { tls = TlsServerOptions(); }), HasSubstr("a server needs a certificate"));
  EXPECT_THAT(failure([&](auto& tls) { tls.cert_file = absent; }), HasSubstr("not both"));
  EXPECT_THAT(failure([&](auto& tls) { tls.cipher_suites = {"TLS_NONE"}; }), HasSubstr("TLS_NONE"));
  EXPECT_THAT(failure([&](auto& tls) { tls.curve_preferences = {"P257"}; }), HasSubstr("P257"));
  EXPECT_THAT(failure([&](auto& tls) { tls.max_version = TlsVersion::k11; }), HasSubstr("min_version"));
}

// Scenario: two ends with no version, or no cipher suite, that both take.
// Guarantees: the options decide, not OpenSSL's defaults.
TEST_F(Tls, RespectsVersionsCiphersAndCurves) {
  TlsServerOptions tls = ServerTls(authority_.Issue("server", kLoopbackNames));
  tls.min_version = TlsVersion::k13;
  tls.curve_preferences = {"P384"};
  Start(tls);
  TlsClientOptions client = Trusting(authority_);
  EXPECT_TRUE(Call(client).ok());
  client.curve_preferences = {"X25519"};
  EXPECT_FALSE(Call(client).ok());
  client = Trusting(authority_);
  client.max_version = TlsVersion::k12;
  EXPECT_THAT(Failure(client), HasSubstr("protocol version"));
  tls.min_version = TlsVersion::k12;
  tls.cipher_suites = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"};
  Start(tls);
  EXPECT_TRUE(Call(client).ok());
  client.cipher_suites = {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"};
  EXPECT_FALSE(Call(client).ok());
}

}  // namespace
}  // namespace spanloom::net
