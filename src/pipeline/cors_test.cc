// SPDX-License-Identifier: Apache-2.0

#include "pipeline/cors.h"

#include <gtest/gtest.h>

namespace spanloom::pipeline {
namespace {

net::HttpRequest Asking(const char* origin, const char* method, const char* headers = "") {
  const std::vector<std::pair<const char*, const char*>> fields = {
      {"origin", origin}, {"access-control-request-method", method}, {"access-control-request-headers", headers}};
  net::HttpRequest request;
  request.method = "OPTIONS";
  for (const auto& [name, value] : fields) request.headers.Add(name, value);
  return request;
}

const Cors& Example() {
  static const Cors cors([] {
    CorsOptions options;
    options.allowed_origins.emplace_back("http://localhost:3000");
    options.allowed_origins.emplace_back("https://*.example.com");
    options.allowed_headers.emplace_back("X-Token");
    options.exposed_headers.emplace_back("X-One");
    options.exposed_headers.emplace_back("X-Two");
    options.max_age = 7200;
    return options;
  }());
  return cors;
}

TEST(Cors, AnswersAPreflight) {
  const auto answer = Example().Preflight(Asking("https://a.example.com", "POST", "content-type, x-token"));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 204);
  EXPECT_EQ(answer->headers.Get("access-control-allow-origin"), "https://a.example.com");
  EXPECT_EQ(answer->headers.Get("access-control-allow-methods"), "POST");
  EXPECT_EQ(answer->headers.Get("access-control-allow-headers"), "content-type, x-token");
  EXPECT_EQ(answer->headers.Get("access-control-allow-credentials"), "true");
  EXPECT_EQ(answer->headers.Get("access-control-max-age"), "7200");
}

void ExpectSilence(const net::HttpRequest& request) {
  const auto answer = Example().Preflight(request);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 204);
  EXPECT_EQ(answer->headers.Get("access-control-allow-origin"), "") << request.headers.Get("origin");
  EXPECT_NE(answer->headers.Get("vary"), "");
}

TEST(Cors, SaysNothingToWhatIsNotAllowed) {
  ExpectSilence(Asking("https://example.com.evil.net", "POST"));
  ExpectSilence(Asking("https://.example.co", "POST"));
  ExpectSilence(Asking("http://localhost:3000", "DELETE"));
  ExpectSilence(Asking("http://localhost:3000", "POST", "x-token, x-other"));
}

TEST(Cors, LeavesOtherRequestsAlone) {
  net::HttpRequest plain;
  plain.method = "OPTIONS";
  EXPECT_FALSE(Example().Preflight(plain).has_value());
  net::HttpRequest post = Asking("http://localhost:3000", "POST");
  post.method = "POST";
  EXPECT_FALSE(Example().Preflight(post).has_value());
}

TEST(Cors, PermitsAnswersToBeRead) {
  net::HttpResponse allowed;
  Example().Permit("http://localhost:3000", allowed);
  EXPECT_EQ(allowed.headers.Get("access-control-allow-origin"), "http://localhost:3000");
  EXPECT_EQ(allowed.headers.Get("access-control-expose-headers"), "X-One, X-Two");
  net::HttpResponse refused;
  Example().Permit("http://localhost:3001", refused);
  EXPECT_EQ(refused.headers.Get("access-control-allow-origin"), "");
  EXPECT_EQ(refused.headers.Get("vary"), "Origin");
  net::HttpResponse everyone;
  CorsOptions all;
  all.allowed_origins.emplace_back("*");
  Cors(std::move(all)).Permit("http://anywhere", everyone);
  EXPECT_EQ(everyone.headers.Get("access-control-allow-origin"), "*");
}

TEST(Cors, RefusesTwoWildcards) {
  CorsOptions options;
  options.allowed_origins.emplace_back("https://*.*.com");
  EXPECT_TRUE(absl::IsInvalidArgument(options.Validate()));
}

}  // namespace
}  // namespace spanloom::pipeline
