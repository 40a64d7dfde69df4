// SPDX-License-Identifier: Apache-2.0
//
// HttpClient against our server over loopback.

#include "net/client.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "base/text.h"
#include "net/testing/net_fixture.h"

namespace spanloom::net {
namespace {

class HttpClientTest : public testing::Test {
 protected:
  void Start(ServerOptions options = EchoOptions(), size_t connections_max = 16) {
    server_ = StartServer(loops_, metrics_, std::move(options));
    Open(server_->endpoint(), connections_max);
  }

  void Open(std::string endpoint, size_t connections_max = 16) {
    client_ = RunOn(loop(), [this, endpoint, connections_max] {
      HttpClientOptions options;
      options.endpoint = endpoint;
      options.connections_max = connections_max;
      options.body_bytes_max = 1 << 20;
      return *HttpClient::Create(loop(), options);
    });
  }

  ~HttpClientTest() override { CloseClient(); }

  void CloseClient() {
    RunOn(loop(), [this] {
      client_.reset();
      return true;
    });
  }

  Promise<StatusOr<HttpResponse>> Start(std::string path, std::string body,
                                        std::chrono::milliseconds deadline = std::chrono::seconds(20)) {
    const Promise<StatusOr<HttpResponse>> promise;
    loop().Post([this, promise, path = std::move(path), body = std::move(body), deadline] {
      HttpRequest request;
      request.method = "POST";
      request.path = path;
      request.body = Bytes(body);
      client_->Send(std::move(request), deadline,
                    [promise](StatusOr<HttpResponse> response) { promise.Set(std::move(response)); });
    });
    return promise;
  }

  StatusOr<HttpResponse> Send(std::string path, std::string body) {
    return Start(std::move(path), std::move(body)).Get();
  }

  Loop& loop() { return loops_.At(0); }

  LoopPool loops_{2};
  MetricRegistry metrics_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(HttpClientTest, PostsAndReadsTheAnswer) {
  Start();
  const StatusOr<HttpResponse> response = Send("/v1/traces", "body");
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->headers.Get("x-path"), "/v1/traces");
  EXPECT_EQ(response->body.view(), "body");
}

TEST_F(HttpClientTest, ReturnsErrorStatusesAsAnswers) {
  ServerOptions options = EchoOptions();
  options.http = nullptr;
  Start(std::move(options));
  EXPECT_EQ(Send("/", "")->status, 404);
}

// Scenario: one request after the other, then many at once with two connections allowed.
// Guarantees: connections are used again, never more than allowed, and every caller gets its own answer.
TEST_F(HttpClientTest, UsesFewConnections) {
  const auto peers = std::make_shared<std::set<std::string>>();
  const auto mutex = std::make_shared<Mutex>();
  ServerOptions options = EchoOptions();
  options.http = [peers, mutex](HttpRequest request, HttpResponder responder) {
    const MutexLock lock(*mutex);
    peers->insert(request.peer);
    std::move(responder).Respond(TextResponse(200, request.body.view()));
  };
  Start(std::move(options), 2);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Send("/", "x").ok());
  EXPECT_EQ(peers->size(), 1U);
  std::vector<Promise<StatusOr<HttpResponse>>> responses;
  for (int i = 0; i < 50; ++i) responses.push_back(Start("/", StrCat("request ", i)));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(responses[i].Get()->body.view(), StrCat("request ", i));
  EXPECT_LE(peers->size(), 2U);
}

TEST_F(HttpClientTest, GivesUpAtTheDeadline) {
  const Promise<HttpResponder> kept;
  ServerOptions options = EchoOptions();
  options.http = [kept](HttpRequest request, HttpResponder responder) {
    if (request.path == "/keep") return kept.Set(std::move(responder));
    std::move(responder).Respond(TextResponse(200, "ok"));
  };
  Start(std::move(options));
  EXPECT_TRUE(absl::IsDeadlineExceeded(Start("/keep", "", std::chrono::milliseconds(30)).Get().status()));
  std::move(kept.Get()).Respond(TextResponse(200, "late"));
  EXPECT_EQ(Send("/", "")->body.view(), "ok");
}

TEST_F(HttpClientTest, RefusesAnswersOverTheLimit) {
  Start();
  EXPECT_TRUE(absl::IsResourceExhausted(Send("/", std::string((1 << 20) + 1, 'x')).status()));
  EXPECT_TRUE(Send("/", std::string(1 << 20, 'x')).ok());
}

TEST_F(HttpClientTest, DecodesAnswers) {
  ServerOptions options = EchoOptions();
  options.http = [](HttpRequest request, HttpResponder responder) {
    HttpResponse response;
    response.headers.Add("content-encoding", "gzip");
    response.body = Compress(Compression::kGzip, request.body.view());
    std::move(responder).Respond(std::move(response));
  };
  Start(std::move(options));
  EXPECT_EQ(Send("/", "hello")->body.view(), "hello");
}

// Scenario: the server stops and another one starts on its port.
// Guarantees: the kept connection is seen to be closed, and the next request goes to the new server.
TEST_F(HttpClientTest, ConnectsAgainAfterARestart) {
  Start();
  EXPECT_TRUE(Send("/", "").ok());
  ServerOptions options = EchoOptions();
  options.endpoint = server_->endpoint();
  server_.reset();
  server_ = StartServer(loops_, metrics_, std::move(options));
  EXPECT_TRUE(Eventually([&] { return Send("/", "").ok(); }));
}

TEST_F(HttpClientTest, BacksOffWhenNobodyListens) {
  Start();
  const std::string endpoint = server_->endpoint();
  server_.reset();
  CloseClient();
  Open(endpoint);
  EXPECT_TRUE(absl::IsUnavailable(Send("/", "").status()));
  const Status second = Send("/", "").status();
  EXPECT_TRUE(absl::IsUnavailable(second));
  EXPECT_NE(second.message().find("next attempt in"), absl::string_view::npos) << second;
}

TEST_F(HttpClientTest, DestroyingItCancelsItsRequests) {
  const Promise<HttpResponder> kept;
  ServerOptions options = EchoOptions();
  options.http = [kept](HttpRequest, HttpResponder responder) { kept.Set(std::move(responder)); };
  Start(std::move(options));
  const auto response = Start("/", "");
  HttpResponder responder = kept.Get();
  CloseClient();
  EXPECT_TRUE(absl::IsCancelled(response.Get().status()));
  std::move(responder).Respond(TextResponse(200, ""));
}

}  // namespace
}  // namespace spanloom::net
