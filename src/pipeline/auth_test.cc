// SPDX-License-Identifier: Apache-2.0
//
// Receivers and exporters whose auth names an extension, in a running engine.

#include <absl/strings/escaping.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "base/text.h"
#include "pipeline/testing/fake_backend.h"
#include "pipeline/testing/pipeline_fixture.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kConfig[] = R"(
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "127.0.0.1:0", auth: {authenticator: basicauth/senders}}
      http: {endpoint: "127.0.0.1:0", auth: {authenticator: bearertokenauth, request_params: [Authorization]}}
exporters:
  otlp_grpc: {endpoint: BACKEND, tls: {insecure: true}, auth: {authenticator: headers_setter}}
  spanloom_store:
extensions:
  headers_setter:
    headers:
      - {key: X-User, from_attribute: username, default_value: nobody}
      - {key: X-Fixed, value: one}
  basicauth/senders: {htpasswd: {inline: "alice:secret"}}
  bearertokenauth: {token: abc}
service:
  extensions: [headers_setter, basicauth/senders, bearertokenauth]
  pipelines:
    traces: {receivers: [otlp], exporters: [spanloom_store, otlp_grpc]}
)";

class AuthTest : public testing::Test, protected PipelineFixture {
 protected:
  [[nodiscard]] std::vector<std::string> WithBackend(std::vector<std::string> settings) const {
    settings.push_back(StrCat("exporters.otlp_grpc.endpoint=\"", backend.endpoint(), "\""));
    return settings;
  }
  Status Start(const std::vector<std::string>& settings = {}) {
    Build(kConfig, WithBackend(settings));
    return engine->Start();
  }
  Status SendAs(const std::string& user_and_password) {
    net::GrpcCallOptions call;
    call.metadata.Add("authorization", StrCat("Basic ", absl::Base64Escape(user_and_password)));
    return CallGrpc(loops.At(0), Address("OTLP/gRPC"), BatchOf({"a"}).Encode(), kExportMethod, call).status();
  }
  net::HttpResponse PostWith(const std::string& authorization, const std::string& query = "") {
    net::HttpRequest request = PostTraces(std::string(BatchOf({"b"}).Encode().view()));
    if (!authorization.empty()) request.headers.Add("authorization", authorization);
    request.query = query;
    return *SendHttp(loops.At(0), Address("OTLP/HTTP"), std::move(request));
  }
  [[nodiscard]] uint64_t Refused(const std::string& transport) const {
    return metrics.Sum("spanloom_receiver_refused_requests", {{"cause", "unauthenticated"}, {"transport", transport}});
  }
  // What is wrong with the configuration.
  [[nodiscard]] std::string Problem(const std::string& yaml) const {
    const config::ExpansionSources sources = {
        .environment = [](const std::string&) -> std::optional<std::string> { return std::nullopt; },
        .read_file = nullptr};
    const std::vector<config::ConfigText> texts = {{"config.yaml", yaml}};
    const auto loaded = config::Load(texts, {}, sources);
    return std::string(ParseServiceConfig(loaded->node, registry).status().message());
  }

  FakeBackend backend{loops, metrics};
};

// Scenario: senders with the right password, a wrong one, and none, over gRPC.
// Guarantees: one is let in, and the exporter's request says who it was; the others are UNAUTHENTICATED, counted, and
// nothing of theirs is taken.
TEST_F(AuthTest, LetsInAndPassesOnWho) {
  ASSERT_TRUE(Start().ok());
  EXPECT_TRUE(SendAs("alice:secret").ok());
  ASSERT_TRUE(backend.AwaitSpans(1));
  EXPECT_EQ(backend.metadata().Get("x-user"), "alice");
  EXPECT_EQ(backend.metadata().Get("x-fixed"), "one");
  EXPECT_TRUE(absl::IsUnauthenticated(SendAs("alice:wrong")));
  EXPECT_TRUE(absl::IsUnauthenticated(Send(BatchOf({"c"}))));
  EXPECT_EQ(Refused("grpc"), 2U);
  EXPECT_THAT(store.names(), ElementsAre("a"));
}

// Guarantees: over HTTP it is 401 with a challenge; a parameter of the query can take the header's place.
TEST_F(AuthTest, AsksOverHttpToo) {
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(PostWith("Bearer abc").status, 200);
  EXPECT_EQ(PostWith("", "Authorization=Bearer%20abc").status, 200);
  const net::HttpResponse refused = PostWith("Bearer abd");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.headers.Get("www-authenticate"), "Bearer");
  EXPECT_EQ(PostWith("").status, 401);
  EXPECT_EQ(PostWith("Bearer abc", "Authorization=Bearer%20abd").status, 401);
  EXPECT_EQ(Refused("http"), 3U);
  ASSERT_TRUE(backend.AwaitSpans(2));
  EXPECT_EQ(backend.metadata().Get("x-user"), "nobody");
}

// Scenario: the token and the fixed header are exchanged by a reload, which leaves the options of receiver and exporter
// as they are.
// Guarantees: both are made anew, and the new values hold.
TEST_F(AuthTest, GoesOverToTheExtensionOfAReload) {
  ASSERT_TRUE(Start().ok());
  const std::vector<std::string> settings = WithBackend(
      {"extensions.bearertokenauth.token=xyz", "extensions.basicauth/senders.htpasswd.inline=\"alice:new\""});
  const auto report = engine->Reload(Parse(kConfig, settings), 20s);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->started, Contains("receiver \"otlp\""));
  EXPECT_THAT(report->kept, Contains("exporter \"otlp_grpc\""));
  EXPECT_EQ(PostWith("Bearer abc").status, 401);
  EXPECT_EQ(PostWith("Bearer xyz").status, 200);
  EXPECT_TRUE(absl::IsUnauthenticated(SendAs("alice:secret")));
  EXPECT_TRUE(SendAs("alice:new").ok());
}

// Guarantees: what does not run, and what is of the other kind, is named at the start with what could be meant.
TEST_F(AuthTest, NamesTheExtensionsThatThereAre) {
  std::string unknown = kConfig;
  unknown.replace(unknown.find("basicauth/senders}}"), 17, "basicauth/nobody_");
  EXPECT_THAT(Problem(unknown),
              HasSubstr("receivers::otlp::protocols::grpc::auth::authenticator: \"basicauth/nobody_\" is "
                        "not listed in service::extensions (those are: headers_setter, "));
  const Status for_senders = Start({"exporters.otlp_grpc.auth.authenticator=basicauth/senders"});
  EXPECT_TRUE(absl::IsInvalidArgument(for_senders)) << for_senders;
  EXPECT_THAT(std::string(for_senders.message()),
              HasSubstr("not a client authenticator (those that are: bearertokenauth, headers_setter)"));
  const Status for_exporters = Start({"receivers.otlp.protocols.grpc.auth.authenticator=headers_setter"});
  EXPECT_THAT(std::string(for_exporters.message()),
              HasSubstr("not a server authenticator (those that are: basicauth/senders, bearertokenauth)"));
}

// Guarantees: credentials do not go over gRPC in cleartext, as in the Collector.
TEST_F(AuthTest, ShowsNoCredentialsInCleartext) {
  const Status status = Start({"exporters.otlp_grpc.auth.authenticator=bearertokenauth"});
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("cleartext"));
}

// Scenario: extensions that name others, written before them, and each other.
// Guarantees: the order does not matter; a circle is an error.
TEST_F(AuthTest, FindsExtensionsInAnyOrder) {
  EXPECT_TRUE(Start({"extensions.headers_setter.additional_auth=basicauth/senders"}).message().size() > 0);
  const Status circle = Start({"extensions.headers_setter.additional_auth=headers_setter"});
  EXPECT_TRUE(absl::IsInvalidArgument(circle)) << circle;
  const Status chained = Start({"extensions.headers_setter.additional_auth=bearertokenauth"});
  EXPECT_THAT(std::string(chained.message()), HasSubstr("cleartext"));  // it was found
}

}  // namespace
}  // namespace spanloom::pipeline
