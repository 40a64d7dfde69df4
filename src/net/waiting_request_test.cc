// SPDX-License-Identifier: Apache-2.0

#include "net/waiting_request.h"

#include <gtest/gtest.h>

#include "net/testing/net_fixture.h"

namespace spanloom::net {
namespace {

class SendAndWaitTest : public testing::Test {
 protected:
  StatusOr<HttpResponse> Ask(const std::string& endpoint, const std::stop_token& stop = {}) {
    HttpClientOptions options;
    options.endpoint = endpoint;
    HttpRequest request;
    request.method = "POST";
    request.path = "/echo";
    request.body = Bytes(std::string("said"));
    return SendAndWait(loops_.At(0), std::move(options), std::move(request), kPatience, stop);
  }

  LoopPool loops_{1};
  MetricRegistry metrics_;
};

TEST_F(SendAndWaitTest, ReturnsTheAnswer) {
  const auto server = StartServer(loops_, metrics_, EchoOptions());
  const StatusOr<HttpResponse> response = Ask(server->endpoint());
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 200);
  EXPECT_NE(response->body.view().find("said"), std::string_view::npos);
}

TEST_F(SendAndWaitTest, SaysWhyThereIsNoClientAndNoAnswer) {
  EXPECT_TRUE(absl::IsInvalidArgument(Ask("").status()));
  std::string nobody;
  {
    const auto server = StartServer(loops_, metrics_, EchoOptions());
    nobody = server->endpoint();
  }
  EXPECT_TRUE(absl::IsUnavailable(Ask(nobody).status()));
}

// Scenario: a server never answers, and the caller is told to stop.
// Guarantees: waiting ends at once.
TEST_F(SendAndWaitTest, EndsWhenItsCallerIsToStop) {
  ServerOptions options = EchoOptions();
  std::stop_source stop;
  std::vector<HttpResponder> kept;
  options.http = [&](const HttpRequest&, HttpResponder responder) {
    kept.push_back(std::move(responder));
    stop.request_stop();
  };
  const auto server = StartServer(loops_, metrics_, std::move(options));
  EXPECT_TRUE(absl::IsCancelled(Ask(server->endpoint(), stop.get_token()).status()));
  RunOn(loops_.At(0), [&] { kept.clear(); });
}

}  // namespace
}  // namespace spanloom::net
