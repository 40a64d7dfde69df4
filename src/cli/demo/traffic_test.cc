// SPDX-License-Identifier: Apache-2.0

#include "cli/demo/traffic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/text.h"
#include "cli/demo/probe.h"
#include "net/testing/net_fixture.h"

namespace spanloom::cli::demo {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class TrafficTest : public testing::Test {
 protected:
  // A proxy that answers with `status` and a stream of two pieces.
  std::string Serve(int status) {
    net::ServerOptions options = net::EchoOptions();
    options.http = [status](const net::HttpRequest&, net::HttpResponder responder) {
      net::HttpResponse head;
      head.status = status;
      auto body = std::make_shared<net::HttpBodyWriter>(std::move(responder).Stream(std::move(head)));
      body->Write(Bytes("data: {}\n\n"), [body](const Status&) {
        body->Write(Bytes("data: [DONE]\n\n"), [body](const Status&) { std::move(*body).Finish(); });
      });
    };
    server_ = net::StartServer(loops_, metrics_, std::move(options));
    return server_->endpoint();
  }

  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  std::unique_ptr<net::Server> server_;
};

// Scenario: many requests are drawn.
// Guarantees: valid chat requests that stream; few beginnings, many questions; most, not all, name a prefill pod.
TEST_F(TrafficTest, DrawsRequestsThatShareBeginnings) {
  Rng rng(1);
  std::set<std::string> beginnings;
  std::set<std::string> bodies;
  int prefilled = 0;
  for (int i = 0; i < 200; ++i) {
    const net::HttpRequest request = DrawRequest({.prefills = {"p:1"}, .model = "m"}, rng);
    const std::string body(request.body.view());
    EXPECT_THAT(body, StartsWith("{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\""));
    EXPECT_THAT(body, HasSubstr("\"stream\":true"));
    beginnings.insert(body.substr(0, body.find("\"role\":\"user\"")));
    bodies.insert(body);
    prefilled += request.headers.Get("x-prefiller-host-port") == "p:1" ? 1 : 0;
  }
  EXPECT_EQ(beginnings.size(), 6u);
  EXPECT_GT(bodies.size(), 190u);
  EXPECT_GT(prefilled, 150);
  EXPECT_LT(prefilled, 200);
}

// Scenario: a proxy that answers, then one that refuses.
// Guarantees: whole answers are counted with the time of their first byte; refusals with their reason.
TEST_F(TrafficTest, CountsWhatBecomesOfRequests) {
  {
    const auto traffic = Traffic::Start(loops_.At(0), Clock::System(), {.proxies = {Serve(200)}, .rate = 2'000});
    ASSERT_TRUE(traffic.ok());
    EXPECT_TRUE(net::Eventually([&] { return (*traffic)->stats().answered >= 5; }));
    EXPECT_GT((*traffic)->stats().ttft_p50_ns, 0);
    EXPECT_EQ((*traffic)->stats().failed, 0u);
  }
  const auto refused = Traffic::Start(loops_.At(0), Clock::System(), {.proxies = {Serve(503)}, .rate = 2'000});
  ASSERT_TRUE(refused.ok());
  EXPECT_TRUE(net::Eventually([&] { return (*refused)->stats().failed >= 5; }));
  EXPECT_EQ((*refused)->stats().last_problem, "status 503");
}

// Scenario: a server that answers, one that refuses, and nobody.
// Guarantees: only the first counts as ready.
TEST_F(TrafficTest, ProbesWhetherAServerAnswers) {
  EXPECT_TRUE(Answers(loops_.At(0), Serve(200), "/health", net::kPatience));
  const std::string refusing = Serve(503);
  EXPECT_FALSE(Answers(loops_.At(0), refusing, "/health", net::kPatience));
  server_->Stop(std::chrono::milliseconds(0));
  EXPECT_FALSE(Answers(loops_.At(0), refusing, "/health", std::chrono::milliseconds(500)));
}

}  // namespace
}  // namespace spanloom::cli::demo
