// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/basic_auth.h"

#include <absl/strings/escaping.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "base/mutex.h"
#include "base/text.h"
#include "config/yaml.h"
#include "net/testing/certificates.h"
#include "pipeline/client_authenticator.h"
#include "pipeline/server_authenticator.h"
#include "pipeline/testing/fake_consumer.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr char kBcrypt[] = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";  // of "secret"

net::HttpHeaders Showing(const std::string& value) {
  net::HttpHeaders headers;
  headers.Add("authorization", value);
  return headers;
}

net::HttpHeaders ShowingUser(const std::string& user_and_password) {
  return Showing(StrCat("Basic ", absl::Base64Escape(user_and_password)));
}

class BasicAuthTest : public testing::Test {
 protected:
  std::shared_ptr<ServerAuthenticator> Serve(const HtpasswdOptions& options) {
    extension_.emplace(ComponentId{"basicauth", ""}, BasicAuthOptions{.htpasswd = options}, context_);
    EXPECT_TRUE(extension_->Start().ok());
    return extension_->server_authenticator();
  }

  static StatusOr<ServerAuthenticator::Attributes> Ask(ServerAuthenticator& server, const net::HttpHeaders& headers) {
    Notification answered;
    StatusOr<ServerAuthenticator::Attributes> answer;
    server.Authenticate(headers, [&](StatusOr<ServerAuthenticator::Attributes> who) {
      answer = std::move(who);
      answered.Notify();
    });
    EXPECT_TRUE(answered.WaitFor(kPatience));
    return answer;
  }

  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  const net::TestFolder folder_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = Clock::System()};
  std::optional<BasicAuthExtension> extension_;
};

// Scenario: users of a file and of the text, with plain and slow hashes; wrong passwords, unknown users, no
// credentials. Guarantees: who is right is let in, by name; the others are kUnauthenticated, and don't learn which it
// was.
TEST_F(BasicAuthTest, LetsInWhoKnowsThePassword) {
  const std::string file = folder_.Write("htpasswd", StrCat("alice:old\nbob:", kBcrypt, "\n"));
  const auto server = Serve({.file = file, .inline_text = "alice:new"});
  const auto who = Ask(*server, ShowingUser("alice:new"));
  ASSERT_TRUE(who.ok()) << who.status();
  EXPECT_THAT(*who, ElementsAre(Pair("username", "alice"), Pair("raw", absl::Base64Escape("alice:new"))));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Ask(*server, ShowingUser("bob:secret")).ok());
  for (const char* wrong : {"alice:old", "bob:wrong", "bob:", "carol:secret", ":"}) {
    const Status status = Ask(*server, ShowingUser(wrong)).status();
    EXPECT_TRUE(absl::IsUnauthenticated(status)) << wrong;
    EXPECT_EQ(status.message(), "invalid credentials");
  }
  EXPECT_EQ(Ask(*server, {}).status().message(), "no basic auth provided");
  EXPECT_EQ(Ask(*server, Showing("Bearer x")).status().message(), "invalid authorization scheme prefix");
  EXPECT_EQ(Ask(*server, Showing("Basic !")).status().message(), "invalid authorization format");
  EXPECT_THAT(server->challenge(), HasSubstr("Basic realm="));
}

// Scenario: a slow hash; then what was right is shown again, and something else.
// Guarantees: what was found right is answered inside the call, without hashing; what was not never is.
TEST_F(BasicAuthTest, HashesWhatIsRightOnce) {
  const auto server = Serve({.inline_text = StrCat("bob:", kBcrypt)});
  EXPECT_TRUE(Ask(*server, ShowingUser("bob:secret")).ok());
  bool is_answered = false;
  server->Authenticate(ShowingUser("bob:secret"), [&](const auto& who) { is_answered = who.ok(); });
  EXPECT_TRUE(is_answered);
  EXPECT_FALSE(Ask(*server, ShowingUser("bob:wrong")).ok());
  EXPECT_FALSE(Ask(*server, ShowingUser("bob:wrong")).ok());
}

// Scenario: many wrong passwords at once against a slow hash, and the extension goes meanwhile.
// Guarantees: each is answered once; what finds no place is kUnavailable, to be sent again, and not a refusal.
TEST_F(BasicAuthTest, HashesFewAtOnce) {
  const auto server = Serve({.inline_text = StrCat("bob:", kBcrypt)});
  constexpr int kAttempts = 200;
  std::atomic<int> refused = 0;
  std::atomic<int> busy = 0;
  Notification all;
  for (int i = 0; i < kAttempts; ++i) {
    server->Authenticate(ShowingUser(StrCat("bob:", i)), [&](const StatusOr<ServerAuthenticator::Attributes>& who) {
      ++(absl::IsUnavailable(who.status()) ? busy : refused);
      if (refused + busy == kAttempts) all.Notify();
    });
  }
  extension_.reset();
  EXPECT_TRUE(all.WaitFor(kPatience));
  EXPECT_GT(busy, 0);
  EXPECT_GT(refused, 0);
}

TEST_F(BasicAuthTest, ShowsUserAndPassword) {
  const std::string file = folder_.Write("password", "from file\n");
  BasicAuthExtension extension(
      {"basicauth", ""}, {.client_auth = BasicClientOptions{.username = "alice", .password_file = file}}, context_);
  ASSERT_TRUE(extension.Start().ok());
  net::HttpHeaders headers;
  ASSERT_TRUE(extension.client_authenticator()->Authorize({}, headers).ok());
  EXPECT_EQ(headers.Get("authorization"), StrCat("Basic ", absl::Base64Escape("alice:from file")));
  EXPECT_TRUE(extension.client_authenticator()->needs_tls());
  EXPECT_EQ(extension.server_authenticator(), nullptr);
  extension.Stop({});
}

TEST_F(BasicAuthTest, NamesTheFileThatItCanNotRead) {
  BasicAuthExtension extension({"basicauth", ""}, {.htpasswd = HtpasswdOptions{.file = "/none/htpasswd"}}, context_);
  EXPECT_THAT(std::string(extension.Start().message()), HasSubstr("/none/htpasswd"));
}

std::vector<std::string> Problems(std::string_view yaml) {
  config::Problems problems;
  config::ReadOptions<BasicAuthOptions>(*config::ParseYaml(yaml, "f"), "extensions::basicauth", problems);
  return problems.lines();
}

TEST(BasicAuthOptions, AreOneOfTwo) {
  EXPECT_THAT(Problems("{htpasswd: {inline: 'a:b'}}"), IsEmpty());
  EXPECT_THAT(Problems("{client_auth: {username: a, password: b}}"), IsEmpty());
  EXPECT_THAT(Problems("{}"), ElementsAre(HasSubstr("no credential source provided")));
  EXPECT_THAT(Problems("{htpasswd: {}}"), ElementsAre(HasSubstr("no credential source provided")));
  EXPECT_THAT(Problems("{htpasswd: {inline: 'a:b'}, client_auth: {username: a}}"),
              ElementsAre(HasSubstr("only one of")));
  EXPECT_THAT(Problems("{htpasswd: {inline: 'nonsense'}}"), ElementsAre(HasSubstr("line 1")));
  EXPECT_THAT(Problems("{client_auth: {username: 'a:b'}}"), ElementsAre(HasSubstr("\":\"")));
}

}  // namespace
}  // namespace spanloom::pipeline
