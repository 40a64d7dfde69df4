// SPDX-License-Identifier: Apache-2.0

#include "kube/api_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "kube/bearer_token.h"
#include "kube/testing/fake_api_server.h"
#include "net/testing/certificates.h"
#include "net/testing/net_fixture.h"

namespace spanloom::kube {
namespace {

using net::Promise;
using testing::HasSubstr;

class ApiClientTest : public testing::Test {
 protected:
  ~ApiClientTest() override { Close(); }

  void Open(ClusterAccess access) {
    net::RunOn(loops_.At(0), [&] {
      auto client = ApiClient::Create(loops_, loops_.At(0), clock_, std::move(access));
      CHECK(client.ok());
      client_ = *std::move(client);
      return true;
    });
  }

  void Close() {
    net::RunOn(loops_.At(0), [this] {
      stream_.reset();
      client_.reset();
      return true;
    });
  }

  Promise<StatusOr<Bytes>> StartGet(const std::string& path) {
    const Promise<StatusOr<Bytes>> promise;
    loops_.At(0).Post([this, promise, path] {
      client_->Get({.path = path, .query = "", .permission = "RULE"},
                   [promise](StatusOr<Bytes> body) { promise.Set(std::move(body)); });
    });
    return promise;
  }

  StatusOr<Bytes> Get(const std::string& path) { return StartGet(path).Get(); }

  // The next piece of the stream that is open.
  StatusOr<Bytes> Read() {
    const Promise<StatusOr<Bytes>> promise;
    loops_.At(0).Post(
        [this, promise] { stream_->Read([promise](StatusOr<Bytes> piece) { promise.Set(std::move(piece)); }); });
    return promise.Get();
  }

  void OpenWatch(uint64_t version, StreamLimits limits = {}) {
    net::RunOn(loops_.At(0), [&] {
      stream_ = client_->Open(
          {.path = "/api/v1/pods", .query = StrCat("watch=1&resourceVersion=", version), .permission = "RULE"}, limits);
      return true;
    });
  }

  net::LoopPool loops_{2};
  SimClock clock_;
  FakeApiServer server_{loops_};
  std::unique_ptr<ApiClient> client_;
  std::unique_ptr<ApiStream> stream_;
};

TEST_F(ApiClientTest, Gets) {
  server_.Put("/api/v1/pods", "a", "p", R"({"metadata":{"name":"p"}})");
  Open(server_.Access());
  const auto body = Get("/api/v1/pods");
  ASSERT_TRUE(body.ok()) << body.status();
  EXPECT_THAT(std::string(body->view()), HasSubstr("\"name\":\"p\""));
}

// Scenario: the kubelet replaces the token; the server knows the new one alone.
// Guarantees: the request that meets it fails, and the next one has the new token; and one that is a minute old is read
// again without any failure.
TEST_F(ApiClientTest, ReadsARotatedTokenAgain) {
  const net::TestFolder folder;
  ClusterAccess access = server_.Access();
  access.token_file = folder.Write("token", "first\n");
  Open(std::move(access));
  server_.DemandAuthorization("Bearer first");
  EXPECT_TRUE(Get("/api/v1/pods").ok());
  folder.Write("token", "second");
  server_.DemandAuthorization("Bearer second");
  EXPECT_TRUE(absl::IsUnauthenticated(Get("/api/v1/pods").status()));
  EXPECT_TRUE(Get("/api/v1/pods").ok());
  folder.Write("token", "third");
  server_.DemandAuthorization("Bearer third");
  clock_.Advance(std::chrono::nanoseconds(BearerToken::kFreshness).count());
  EXPECT_TRUE(Get("/api/v1/pods").ok());
}

TEST_F(ApiClientTest, SaysThatTheTokenIsNotThere) {
  ClusterAccess access = server_.Access();
  access.token_file = "/nowhere/token";
  Open(std::move(access));
  const Status status = Get("/api/v1/pods").status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("/nowhere/token: No such file"));
}

TEST_F(ApiClientTest, SendsFixedCredentials) {
  ClusterAccess access = server_.Access();
  access.basic_auth = "user:pass";
  Open(std::move(access));
  server_.DemandAuthorization("Basic dXNlcjpwYXNz");
  EXPECT_TRUE(Get("/api/v1/pods").ok());
}

TEST_F(ApiClientTest, ExplainsRefusals) {
  server_.Refuse("/api/v1/pods", 403, R"({"kind":"Status","message":"pods is forbidden"})");
  Open(server_.Access());
  const Status whole = Get("/api/v1/pods").status();
  OpenWatch(1);
  const Status streamed = Read().status();
  for (const Status& status : {whole, streamed}) {
    EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(StrCat("GET http://", server_.endpoint(), "/api/v1/pods: 403: pods is forbidden")));
    EXPECT_THAT(std::string(status.message()), HasSubstr("RULE"));
  }
  EXPECT_EQ(Read().status(), streamed);  // as often as it is asked
}

TEST_F(ApiClientTest, StreamsUntilTheEnd) {
  Open(server_.Access());
  OpenWatch(server_.version());
  server_.Put("/api/v1/pods", "a", "p", R"({"metadata":{"name":"p"}})");
  const auto piece = Read();
  ASSERT_TRUE(piece.ok()) << piece.status();
  EXPECT_THAT(std::string(piece->view()), HasSubstr("\"type\":\"ADDED\""));
  ASSERT_TRUE(net::Eventually([&] { return server_.watches("/api/v1/pods") == 1; }));
  server_.EndWatches();
  EXPECT_EQ(Read()->view(), "");
}

TEST_F(ApiClientTest, EndsAStreamThatIsSilent) {
  Open(server_.Access());
  server_.HoldWatches(true);
  OpenWatch(1, {.silence_max = std::chrono::milliseconds(30)});
  EXPECT_TRUE(absl::IsDeadlineExceeded(Read().status()));
}

TEST_F(ApiClientTest, SaysThatNobodyIsThere) {
  Open(server_.Access());
  server_.Stop();
  EXPECT_TRUE(absl::IsUnavailable(Get("/api/v1/pods").status()));
  OpenWatch(1);
  EXPECT_TRUE(absl::IsUnavailable(Read().status()));
}

TEST_F(ApiClientTest, ClosingFailsWhatIsUnderWay) {
  server_.HoldWatches(true);
  Open(server_.Access());
  const Promise<StatusOr<Bytes>> promise;
  net::RunOn(loops_.At(0), [&] {
    client_->Get({.path = "/api/v1/pods", .query = "watch=1&resourceVersion=1"},
                 [promise](StatusOr<Bytes> body) { promise.Set(std::move(body)); });
    return true;
  });
  ASSERT_TRUE(net::Eventually([&] { return server_.watches("/api/v1/pods") == 1; }));
  Close();
  EXPECT_TRUE(absl::IsCancelled(promise.Get().status()));
}

}  // namespace
}  // namespace spanloom::kube
