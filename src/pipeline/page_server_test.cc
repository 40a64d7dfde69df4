// SPDX-License-Identifier: Apache-2.0

#include "pipeline/page_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <thread>

#include "config/yaml.h"
#include "pipeline/extension_roles.h"
#include "pipeline/testing/blocking_client.h"
#include "pipeline/testing/scripted_authenticator.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// Lets in who shows the key "open", at once.
class KeyAuthenticator final : public ServerAuthenticator {
 public:
  void Authenticate(const net::HttpHeaders& headers, Done done) override {
    if (headers.Get("x-key") == "open") return std::move(done)(Attributes());
    std::move(done)(absl::UnauthenticatedError("no key"));
  }
  [[nodiscard]] std::string challenge() const override { return "Key"; }
};

class KeyExtension final : public Extension {
 public:
  Status Start() override { return absl::OkStatus(); }
  void Stop(std::chrono::milliseconds) override {}
  [[nodiscard]] std::shared_ptr<ServerAuthenticator> server_authenticator() const override {
    return std::make_shared<KeyAuthenticator>();
  }
};

struct PageOptions {
  HttpServerOptions server;
  void Declare(config::OptionsReader& r) { DeclarePageServer(r, server, "Address."); }
  [[nodiscard]] Status Validate() const { return server.Validate(); }
};

class PageServerTest : public testing::Test {
 protected:
  PageServerTest() {
    roles_.Add("key", KeyExtension());
    roles_.Add("scripted", scripted_);
  }
  // Made with options that have no problem.
  PageServer& Make(const std::string& yaml) {
    config::Problems problems;
    const auto options = config::ReadOptions<PageOptions>(*config::ParseYaml(yaml, "f"), "x", problems);
    EXPECT_THAT(problems.lines(), IsEmpty());
    server_ = std::make_unique<PageServer>("page", options.server, uint16_t{1}, context_);
    return *server_;
  }
  void Start(const std::string& yaml) {
    ASSERT_EQ(Make(yaml).Start([](const net::HttpRequest&, net::HttpResponder responder) {
      std::move(responder).Respond(net::TextResponse(200, "page"));
    }),
              absl::OkStatus());
  }
  net::HttpResponse Get(const std::string& header = "", const std::string& value = "",
                        const std::string& method = "GET") {
    net::HttpRequest request;
    request.method = method;
    request.path = "/page";
    if (!header.empty()) request.headers.Add(header, value);
    if (method == "OPTIONS") request.headers.Add("access-control-request-method", "GET");
    std::string address = server_->endpoints("page", "/page").at(0).address;
    if (address.starts_with("http://")) address = address.substr(7, address.find('/', 7) - 7);
    const auto response = SendHttp(loops_.At(0), address, std::move(request));
    CHECK(response.ok());
    return *response;
  }

  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  const ScriptedExtension scripted_;
  ExtensionRoles roles_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = Clock::System(), .extensions = &roles_};
  std::unique_ptr<PageServer> server_;
};

// Guarantees: who does not show the right key gets a challenge, is counted, and sees nothing of the page.
TEST_F(PageServerTest, LetsInWhoMayAsk) {
  Start("{endpoint: '127.0.0.1:0', auth: {authenticator: key}}");
  EXPECT_EQ(Get("x-key", "open").body.view(), "page");
  const net::HttpResponse refused = Get("x-key", "shut");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.headers.Get("www-authenticate"), "Key");
  EXPECT_EQ(refused.body.view(), "401 no key\n");
  EXPECT_EQ(Get().status, 401);
  EXPECT_EQ(metrics_.Sum("spanloom_page_refused_requests", {{"component", "page"}, {"cause", "unauthenticated"}}), 2u);
  server_->Stop(1s);
}

// Scenario: a request waits to be let in; the server stops, and then the decision comes.
// Guarantees: the page, which may be gone, is not asked.
TEST_F(PageServerTest, AsksForNothingAfterTheStop) {
  std::atomic<int> asked = 0;
  ASSERT_EQ(Make("{endpoint: '127.0.0.1:0', auth: {authenticator: scripted}}")
                .Start([&](const net::HttpRequest&, net::HttpResponder) { ++asked; }),
            absl::OkStatus());
  std::thread client([&] {
    net::HttpRequest request;
    request.method = "GET";
    request.path = "/";
    const std::string url = server_->endpoints("", "").at(0).address;
    static_cast<void>(SendHttp(loops_.At(0), url.substr(7), std::move(request)));
  });
  EXPECT_TRUE(scripted_.authenticator->AwaitQuestion());
  server_->Stop(0ms);
  client.join();
  scripted_.authenticator->Answer(ServerAuthenticator::Attributes());
  EXPECT_EQ(asked, 0);
}

// Guarantees: headers of one's own are in every answer, and browsers are told what pages may ask.
TEST_F(PageServerTest, SaysWhatItIsToldToSay) {
  Start(
      "{endpoint: '127.0.0.1:0', response_headers: {x-frame-options: DENY}, "
      "cors: {allowed_origins: ['https://a.example']}}");
  const net::HttpResponse page = Get("origin", "https://a.example");
  EXPECT_EQ(page.headers.Get("x-frame-options"), "DENY");
  EXPECT_EQ(page.headers.Get("access-control-allow-origin"), "https://a.example");
  const net::HttpResponse allowed = Get("origin", "https://a.example", "OPTIONS");
  EXPECT_EQ(allowed.status, 204);
  EXPECT_EQ(allowed.headers.Get("access-control-allow-methods"), "GET");
  server_->Stop(1s);
}

// Scenario: a path for transport unix.
// Guarantees: it listens there, says so, and takes its socket away.
TEST_F(PageServerTest, ListensOnAUnixSocket) {
  const std::string path = StrCat(testing::TempDir(), "page_server_test.sock");
  Start(StrCat("{endpoint: '", path, "', transport: unix}"));
  EXPECT_EQ(server_->endpoints("page", "/x").at(0).address, StrCat("unix:", path));
  EXPECT_THAT(server_->claims(), ElementsAre(StrCat("unix:", path)));
  EXPECT_EQ(Get().body.view(), "page");
  server_->Stop(1s);
  EXPECT_FALSE(std::filesystem::exists(path));
}

// Guarantees: an extension that does not run is named at the start, with those that do.
TEST_F(PageServerTest, NamesTheExtensionsThatThereAre) {
  const Status status = Make("{auth: {authenticator: other}}").Start({});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("those that do: key, scripted"));
  EXPECT_THAT(server_->claims(), ElementsAre("localhost:1"));
}

}  // namespace
}  // namespace spanloom::pipeline
