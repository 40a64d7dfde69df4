// SPDX-License-Identifier: Apache-2.0

#include "app/config_fetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stop_token>
#include <thread>

#include "base/metrics.h"
#include "base/text.h"
#include "net/server.h"
#include "net/testing/certificates.h"
#include "net/testing/net_fixture.h"

namespace spanloom::app {
namespace {

using testing::HasSubstr;
using testing::Not;

class ConfigFetchTest : public testing::Test {
 protected:
  ConfigFetchTest() {
    options_.name = "configurations";
    options_.endpoint = "127.0.0.1:0";
    options_.http = [this](net::HttpRequest request, net::HttpResponder responder) {
      seen_.Set(request);
      if (is_silent_) return silent_.Set(std::move(responder));
      std::move(responder).Respond(answer_);
    };
  }

  // A URL of the server, which is started by the first call.
  std::string UrlOf(std::string_view scheme, std::string_view rest, std::string_view user = "") {
    if (server_ == nullptr) server_ = net::StartServer(loops_, metrics_, options_);
    return StrCat(scheme, "://", user, server_->endpoint(), rest);
  }

  MetricRegistry metrics_;
  net::LoopPool loops_{1};
  net::ServerOptions options_;
  net::HttpResponse answer_ = net::TextResponse(200, "a: 1\n");
  std::atomic<bool> is_silent_ = false;
  net::Promise<net::HttpRequest> seen_;
  net::Promise<net::HttpResponder> silent_;
  std::unique_ptr<net::Server> server_;
};

// Scenario: a path with parameters, and a user whose password has an escape.
// Guarantees: they are asked for as they stand; the user is shown as basic authentication, without its escape.
TEST_F(ConfigFetchTest, GetsTheText) {
  EXPECT_EQ(*FetchText(UrlOf("http", "/c/x%20.yaml?token=t", "me:p%40ss@"), {}), "a: 1\n");
  const net::HttpRequest request = seen_.Get();
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.path, "/c/x%20.yaml");
  EXPECT_EQ(request.query, "token=t");
  EXPECT_EQ(request.headers.Get("authorization"), "Basic bWU6cEBzcw==");
}

// Scenario: a server over TLS with a certificate of an authority that the client trusts, and of one that it does not.
// Guarantees: the first is read, the second is refused.
TEST_F(ConfigFetchTest, ChecksTheCertificate) {
  const net::TestAuthority authority("tests");
  const net::TestCertificate own = authority.Issue("localhost", "IP:127.0.0.1");
  options_.tls.emplace();
  options_.tls->cert_pem = own.certificate;
  options_.tls->key_pem = own.key;
  FetchOptions trusting;
  trusting.tls.ca_pem = authority.certificate();
  EXPECT_EQ(*FetchText(UrlOf("https", "/"), trusting), "a: 1\n");
  const Status refusal = FetchText(UrlOf("https", "/"), {}).status();
  EXPECT_EQ(refusal.code(), absl::StatusCode::kUnavailable) << refusal;
  EXPECT_THAT(std::string(refusal.message()), HasSubstr("certificate"));
}

// Scenario: answers that are no text: not there, not allowed, moved, failed. The URL and the redirect have secrets.
// Guarantees: a code each; the message says where and what to do, and has no secret.
TEST_F(ConfigFetchTest, SaysWhatIsWrongWithoutSecrets) {
  const struct {
    int status;
    absl::StatusCode code;
    const char* says;
  } cases[] = {{404, absl::StatusCode::kNotFound, "check the path"},
               {401, absl::StatusCode::kPermissionDenied, "user and password"},
               {302, absl::StatusCode::kFailedPrecondition, "write what it names, https://elsewhere/x"},
               {500, absl::StatusCode::kFailedPrecondition, "status 500"}};
  for (const auto& expected : cases) {
    answer_ = net::TextResponse(expected.status, "no");
    answer_.headers.Add("location", "https://me:secret@elsewhere/x?secret");
    const Status status = FetchText(UrlOf("http", "/c?secret", "me:secret@"), {}).status();
    EXPECT_EQ(status.code(), expected.code) << status;
    const std::string message(status.message());
    EXPECT_THAT(message, HasSubstr(expected.says));
    EXPECT_THAT(message, HasSubstr(StrCat("http://", server_->endpoint(), "/c:")));
    EXPECT_THAT(message, Not(HasSubstr("secret")));
  }
}

// Scenario: a text of exactly the limit, and a byte more.
// Guarantees: the first is read, the second refused.
TEST_F(ConfigFetchTest, BoundsTheText) {
  answer_ = net::TextResponse(200, std::string(1'000, 'x'));
  EXPECT_EQ(FetchText(UrlOf("http", "/"), {.bytes_max = 1'000})->size(), 1'000u);
  EXPECT_EQ(FetchText(UrlOf("http", "/"), {.bytes_max = 999}).status().code(), absl::StatusCode::kResourceExhausted);
}

// Scenario: a server that does not answer, and a stop meanwhile; and one before.
// Guarantees: neither waits for the deadline.
TEST_F(ConfigFetchTest, GivesUpInAHurry) {
  is_silent_ = true;
  std::stop_source stop;
  std::jthread stopper([&] {
    static_cast<void>(seen_.Get());
    stop.request_stop();
  });
  const FetchOptions options{.deadline = std::chrono::hours(1), .hurry = stop.get_token()};
  EXPECT_EQ(FetchText(UrlOf("http", "/"), options).status().code(), absl::StatusCode::kCancelled);
  stopper.join();
  EXPECT_EQ(FetchText(UrlOf("http", "/"), options).status().code(), absl::StatusCode::kCancelled);
}

// Scenario: a server that does not answer, one that is not there, and no URL.
// Guarantees: each is an error in time.
TEST_F(ConfigFetchTest, GivesUpInTime) {
  is_silent_ = true;
  const Status silent = FetchText(UrlOf("http", "/"), {.deadline = std::chrono::milliseconds(20)}).status();
  EXPECT_EQ(silent.code(), absl::StatusCode::kDeadlineExceeded) << silent;
  const std::string gone = UrlOf("http", "/");
  server_.reset();
  EXPECT_EQ(FetchText(gone, {}).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(FetchText("http://", {}).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace spanloom::app
