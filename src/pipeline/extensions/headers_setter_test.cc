// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/headers_setter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/yaml.h"
#include "pipeline/client_authenticator.h"
#include "pipeline/extension_roles.h"
#include "pipeline/extensions/bearer_token_auth.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class HeadersSetterTest : public testing::Test {
 protected:
  // The headers of a request that has "x-there" already.
  StatusOr<net::HttpHeaders> Set(std::vector<HeaderOptions> headers, const otlp::RequestOrigin& origin = {}) {
    HeadersSetterExtension extension({.headers = std::move(headers), .additional_auth = additional_}, context_);
    RETURN_IF_ERROR(extension.Start());
    net::HttpHeaders set;
    set.Add("x-there", "old");
    RETURN_IF_ERROR(extension.client_authenticator()->Authorize(origin, set));
    return set;
  }

  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  ExtensionRoles roles_of_extensions_;
  const BuildContext context_{
      .loops = loops_, .metrics = metrics_, .clock = Clock::System(), .extensions = &roles_of_extensions_};
  std::string additional_;
};

TEST_F(HeadersSetterTest, DoesWhatEachActionSays) {
  using enum HeaderAction;
  EXPECT_EQ(Set({{.key = "X-New", .value = "v"}})->Get("x-new"), "v");
  EXPECT_EQ(Set({{.key = "X-There", .value = "v"}})->Get("x-there"), "v");
  EXPECT_EQ(Set({{.key = "x-new", .action = kInsert, .value = "v"}})->Get("x-new"), "v");
  EXPECT_EQ(Set({{.key = "x-there", .action = kInsert, .value = "v"}})->Get("x-there"), "old");
  EXPECT_EQ(Set({{.key = "x-new", .action = kUpdate, .value = "v"}})->Get("x-new"), "");
  EXPECT_EQ(Set({{.key = "x-there", .action = kUpdate, .value = "v"}})->Get("x-there"), "v");
  EXPECT_EQ(Set({{.key = "X-There", .action = kDelete}})->fields().size(), 0U);
}

// Guarantees: the value is what the data came with, or the default; two values are no value.
TEST_F(HeadersSetterTest, TakesValuesFromTheSender) {
  const std::vector<HeaderOptions> tenant = {
      {.key = "x-scope-orgid", .from_context = "X-Tenant", .default_value = "d"}};
  EXPECT_EQ(Set(tenant, {.metadata = {{"x-tenant", "blue"}}})->Get("x-scope-orgid"), "blue");
  EXPECT_EQ(Set(tenant)->Get("x-scope-orgid"), "d");
  const otlp::RequestOrigin both{.metadata = {{"x-tenant", "blue"}, {"x-tenant", "red"}}};
  EXPECT_TRUE(absl::IsInvalidArgument(Set(tenant, both).status()));
  const std::vector<HeaderOptions> user = {{.key = "x-user", .from_attribute = "username"}};
  EXPECT_EQ(Set(user, {.auth = {{"username", "alice"}}})->Get("x-user"), "alice");
  EXPECT_EQ(Set(user)->Get("x-user"), "");
}

TEST_F(HeadersSetterTest, LetsAnotherExtensionAuthenticateToo) {
  const std::vector<HeaderOptions> headers = {{.key = "x-new", .value = "v"}};
  const BearerTokenAuthExtension bearer({"bearertokenauth", ""}, {.token = "abc"});
  roles_of_extensions_.Add("bearertokenauth", bearer);
  additional_ = "bearertokenauth";
  EXPECT_EQ(Set(headers)->Get("authorization"), "Bearer abc");
  EXPECT_EQ(Set(headers)->Get("x-new"), "v");
  EXPECT_TRUE(HeadersSetterExtension({.headers = headers, .additional_auth = additional_}, context_)
                  .client_authenticator()
                  ->needs_tls());
  EXPECT_FALSE(HeadersSetterExtension({.headers = headers}, context_).client_authenticator()->needs_tls());
  additional_ = "oauth2";
  EXPECT_THAT(std::string(Set(headers).status().message()), HasSubstr("those that do: bearertokenauth"));
}

std::vector<std::string> Problems(std::string_view yaml) {
  config::Problems problems;
  config::ReadOptions<HeadersSetterOptions>(*config::ParseYaml(yaml, "f"), "extensions::headers_setter", problems);
  return problems.lines();
}

TEST(HeadersSetterOptions, NeedOneSourceEach) {
  EXPECT_THAT(Problems("{headers: [{key: a, value: v}, {key: b, action: delete}]}"), IsEmpty());
  EXPECT_THAT(Problems("{}"), ElementsAre(HasSubstr("missing headers configuration")));
  EXPECT_THAT(Problems("{headers: [{value: v}]}"), ElementsAre(HasSubstr("missing header name")));
  EXPECT_THAT(Problems("{headers: [{key: a}]}"), ElementsAre(HasSubstr("missing header source")));
  EXPECT_THAT(Problems("{headers: [{key: a, value: v, from_context: c}]}"), ElementsAre(HasSubstr("only one of")));
}

}  // namespace
}  // namespace spanloom::pipeline
