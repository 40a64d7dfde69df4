// SPDX-License-Identifier: Apache-2.0

#include "net/self_signed.h"

#include <gtest/gtest.h>

#include "net/testing/net_fixture.h"

namespace spanloom::net {
namespace {

// Scenario: a server shows a certificate that it made itself, to a client that asks who signed it and to one that does
// not.
// Guarantees: the second is served, the first is not.
TEST(SelfSigned, ServesThoseWhoDoNotAskWhoSignedIt) {
  const auto made = MakeSelfSigned("routing-proxy");
  ASSERT_TRUE(made.ok()) << made.status();
  LoopPool loops(1);
  MetricRegistry metrics;
  ServerOptions options = EchoOptions();
  options.tls.emplace();
  options.tls->cert_pem = made->certificate;
  options.tls->key_pem = made->key;
  const auto server = StartServer(loops, metrics, std::move(options));
  for (const bool skips_verify : {true, false}) {
    HttpClientOptions client_options;
    client_options.endpoint = server->endpoint();
    client_options.tls.emplace();
    client_options.tls->insecure_skip_verify = skips_verify;
    const Promise<StatusOr<HttpResponse>> answer;
    auto client = RunOn(loops.At(0), [&] {
      auto created = *HttpClient::Create(loops.At(0), client_options);
      HttpRequest request;
      request.method = "GET";
      request.path = "/";
      created->Send(std::move(request), kPatience,
                    [answer](StatusOr<HttpResponse> got) { answer.Set(std::move(got)); });
      return created;
    });
    EXPECT_EQ(answer.Get().ok(), skips_verify);
    RunOn(loops.At(0), [&] { return client.reset(), true; });
  }
}

}  // namespace
}  // namespace spanloom::net
