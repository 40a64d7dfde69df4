// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/bearer_token_auth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/yaml.h"
#include "net/testing/certificates.h"
#include "pipeline/client_authenticator.h"
#include "pipeline/server_authenticator.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class BearerTokenAuthTest : public testing::Test {
 protected:
  void Start(BearerTokenAuthOptions options) {
    extension_.emplace(ComponentId{"bearertokenauth", ""}, std::move(options));
    ASSERT_TRUE(extension_->Start().ok());
  }

  Status Ask(const std::string& header, const std::string& value) {
    net::HttpHeaders headers;
    if (!value.empty()) headers.Add(header, value);
    Status status = absl::UnknownError("not answered");
    extension_->server_authenticator()->Authenticate(headers, [&](const auto& who) { status = who.status(); });
    return status;
  }

  std::string Shown(const std::string& header) {
    net::HttpHeaders headers;
    EXPECT_TRUE(extension_->client_authenticator()->Authorize({}, headers).ok());
    return std::string(headers.Get(header));
  }

  const net::TestFolder folder_;
  std::optional<BearerTokenAuthExtension> extension_;
};

TEST_F(BearerTokenAuthTest, AsksForTheToken) {
  Start({.token = "abc"});
  EXPECT_TRUE(Ask("authorization", "Bearer abc").ok());
  for (const char* wrong : {"Bearer abd", "Bearer ab", "abc", "Bearer ", "bearer abc", "Bearer abc "}) {
    const Status status = Ask("authorization", wrong);
    EXPECT_TRUE(absl::IsUnauthenticated(status)) << wrong;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("ab")));
  }
  EXPECT_THAT(std::string(Ask("authorization", "").message()), HasSubstr("missing or empty authorization header"));
  EXPECT_EQ(Shown("authorization"), "Bearer abc");
  EXPECT_EQ(extension_->server_authenticator()->challenge(), "Bearer");
}

// Guarantees: any of several is taken, the first is shown; without a scheme it is the token alone.
TEST_F(BearerTokenAuthTest, HasSeveralTokensAndAHeaderOfItsOwn) {
  Start({.header = "X-API-Key", .scheme = "", .tokens = {"one", "two"}});
  EXPECT_TRUE(Ask("x-api-key", "one").ok());
  EXPECT_TRUE(Ask("x-api-key", "two").ok());
  EXPECT_FALSE(Ask("authorization", "one").ok());
  EXPECT_EQ(Shown("x-api-key"), "one");
  EXPECT_EQ(extension_->server_authenticator()->challenge(), "");
}

// Guarantees: the file is preferred; its empty lines are no tokens, so that nobody is let in without one.
TEST_F(BearerTokenAuthTest, ReadsAFile) {
  Start({.token = "ignored", .filename = folder_.Write("token", "\n one \r\n\ntwo\n")});
  EXPECT_TRUE(Ask("authorization", "Bearer one").ok());
  EXPECT_TRUE(Ask("authorization", "Bearer two").ok());
  EXPECT_FALSE(Ask("authorization", "Bearer ignored").ok());
  EXPECT_FALSE(Ask("authorization", "Bearer ").ok());
  EXPECT_EQ(Shown("authorization"), "Bearer one");
  extension_->Stop({});
  BearerTokenAuthExtension empty({"bearertokenauth", ""}, {.filename = folder_.Write("empty", "\n")});
  EXPECT_THAT(std::string(empty.Start().message()), HasSubstr("has no token"));
}

std::vector<std::string> Problems(std::string_view yaml) {
  config::Problems problems;
  config::ReadOptions<BearerTokenAuthOptions>(*config::ParseYaml(yaml, "f"), "extensions::bearertokenauth", problems);
  return problems.lines();
}

TEST(BearerTokenAuthOptions, NeedATokenFromSomewhere) {
  EXPECT_THAT(Problems("{token: a}"), IsEmpty());
  EXPECT_THAT(Problems("{tokens: [a, b]}"), IsEmpty());
  EXPECT_THAT(Problems("{filename: /f, token: a}"), IsEmpty());
  EXPECT_THAT(Problems("{}"), ElementsAre(HasSubstr("no bearer token provided")));
  EXPECT_THAT(Problems("{token: a, tokens: [b]}"), ElementsAre(HasSubstr("not both")));
  EXPECT_THAT(Problems("{tokens: ['']}"), ElementsAre(HasSubstr("must not be empty")));
}

}  // namespace
}  // namespace spanloom::pipeline
