// SPDX-License-Identifier: Apache-2.0

#include "pipeline/admittance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "pipeline/extension_roles.h"
#include "pipeline/testing/scripted_authenticator.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

Admittance::Refusals RefusalsOf(const std::string& transport) {
  return {.metric = "spanloom_receiver_refused_requests",
          .help = "help",
          .labels = {{"receiver", "otlp"}, {"transport", transport}},
          .answer = [](const Status& status, const net::HttpRequest&) {
            return net::TextResponse(absl::IsUnauthenticated(status) ? 401 : 503, StdView(status.message()));
          }};
}

class AdmittanceTest : public testing::Test {
 protected:
  AdmittanceTest() { roles_.Add("scripted", extension_); }

  [[nodiscard]] std::shared_ptr<const Admittance> Asking(std::vector<std::string> params = {}) const {
    return *Admittance::Asking("scripted", std::move(params), RefusalsOf("http"), context_);
  }
  void Admit(const Admittance& admittance, const std::string& query = "") {
    net::HttpRequest request;
    request.query = query;
    request.headers.Add("x-key", "by header");
    request.headers.Add("content-type", "application/json");
    admittance.Admit(std::move(request),
                     net::HttpResponder([this](net::HttpResponse answer) { answer_ = std::move(answer); }),
                     [this](Admittance::Attributes who, const net::HttpRequest& taken, net::HttpResponder) {
                       who_ = std::move(who);
                       EXPECT_EQ(taken.headers.Get("x-key"), "by header");
                     });
  }
  [[nodiscard]] uint64_t Refused(const std::string& cause) const {
    return metrics_.Sum("spanloom_receiver_refused_requests", {{"cause", cause}, {"transport", "http"}});
  }

  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  const ScriptedExtension extension_;
  ExtensionRoles roles_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = Clock::System(), .extensions = &roles_};
  std::optional<Admittance::Attributes> who_;  // that was let in
  std::optional<net::HttpResponse> answer_;
};

TEST_F(AdmittanceTest, LetsEverybodyInWhereNobodyIsAsked) {
  Admit(*Admittance::Open());
  EXPECT_THAT(who_, testing::Optional(IsEmpty()));
}

// Scenario: a decision that comes later, after whoever asked has let go of the admittance.
// Guarantees: the request waits for it, and goes on with what was found out.
TEST_F(AdmittanceTest, WaitsForTheDecision) {
  Admit(*Asking());
  EXPECT_FALSE(who_.has_value());
  EXPECT_EQ(extension_.authenticator->shown, "by header");
  extension_.authenticator->Answer(Admittance::Attributes{{"username", "alice"}});
  EXPECT_THAT(who_, testing::Optional(ElementsAre(Pair("username", "alice"))));
  EXPECT_EQ(Refused("unauthenticated"), 0U);
}

// Guarantees: 401 with a challenge, 503 without one, in the component's words, and counted apart.
TEST_F(AdmittanceTest, AnswersThoseWhoAreNotLetIn) {
  Admit(*Asking());
  extension_.authenticator->Answer(absl::UnauthenticatedError("no"));
  EXPECT_EQ(answer_->status, 401);
  EXPECT_EQ(answer_->headers.Get("www-authenticate"), "Key");
  EXPECT_EQ(answer_->body.view(), "no");
  Admit(*Asking());
  extension_.authenticator->Answer(absl::UnavailableError("busy"));
  EXPECT_EQ(answer_->status, 503);
  EXPECT_EQ(answer_->headers.Get("www-authenticate"), "");
  EXPECT_FALSE(who_.has_value());
  EXPECT_EQ(Refused("unauthenticated"), 1U);
  EXPECT_EQ(Refused("authentication_busy"), 1U);
}

// Guarantees: a parameter that is named stands for the header, in what is asked and not in what is passed on.
TEST_F(AdmittanceTest, TakesParametersForHeaders) {
  Admit(*Asking({"X-Key"}), "X-Key=by%20query&other=1");
  EXPECT_EQ(extension_.authenticator->shown, "by query");
  extension_.authenticator->Answer(Admittance::Attributes());
  EXPECT_TRUE(who_.has_value());
  Admit(*Asking(), "X-Key=by%20query");
  EXPECT_EQ(extension_.authenticator->shown, "by header");
  extension_.authenticator->Answer(Admittance::Attributes());
}

TEST_F(AdmittanceTest, NamesTheExtensionsThatThereAre) {
  const Status status = Admittance::Asking("other", {}, RefusalsOf("grpc"), context_).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("those that do: scripted"));
}

}  // namespace
}  // namespace spanloom::pipeline
