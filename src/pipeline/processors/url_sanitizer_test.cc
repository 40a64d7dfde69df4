// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/url_sanitizer.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "pipeline/testing/attributed_spans.h"

namespace spanloom::pipeline {
namespace {

std::string Sanitized(std::string_view url) {
  return UrlSanitizer::Sanitized(url);
}

TEST(UrlSanitizer, TakesIdsOutOfPaths) {
  EXPECT_EQ(Sanitized("/api/users/123e4567-e89b-12d3-a456-426614174000"), "/api/users/*");
  EXPECT_EQ(Sanitized("/api/users/12345/posts/6/"), "/api/users/*/posts/*/");
  EXPECT_EQ(Sanitized("/v1/products/22j"), "/v1/products/*");
  EXPECT_EQ(Sanitized("/users/fdklsd/j4elk/23993/job/2"), "/users/*/j4elk/*/job/*");
  EXPECT_EQ(Sanitized("/a/eve@example.com/caf%C3%A9/x:y"), "/a/*/*/*");
  EXPECT_EQ(Sanitized("/files/" + std::string(49, 'a')), "/files/*");
  EXPECT_EQ(Sanitized("123"), "*");
}

TEST(UrlSanitizer, LeavesWords) {
  for (const char* path : {"/", "", "/api/users", "/products//org/", "/user_space/", "/api.backup/hello.world",
                           "GET /user_space/", "HTTP GET", "/Benutzer/Arbeit", "/v1/k6-test-runs", "/https/html"}) {
    EXPECT_EQ(Sanitized(path), path);
  }
}

TEST(UrlSanitizer, CutsQueryAndFragment) {
  EXPECT_EQ(Sanitized("/api/users?id=123&name=john"), "/api/users");
  EXPECT_EQ(Sanitized("/attach#section-1"), "/attach");
  EXPECT_EQ(Sanitized("GET /api/cart?sessionId=55f4e5ea"), "GET /api/cart");
  EXPECT_EQ(Sanitized("attach12?"), "*");
  EXPECT_EQ(Sanitized("?"), "");
}

TEST(UrlSanitizer, KeepsWhereTheUrlLeads) {
  EXPECT_EQ(Sanitized("https://shop-1.example.com:8443/users/17?a=b"), "https://shop-1.example.com:8443/users/*");
  EXPECT_EQ(Sanitized("GET http://10.0.0.7/a"), "GET http://10.0.0.7/a");
  EXPECT_EQ(Sanitized("https://eve:secret@host/a"), "https://host/a");
  EXPECT_EQ(Sanitized("https://host?a=b"), "https://host");
  EXPECT_EQ(Sanitized("17://a"), "*//a");
  EXPECT_EQ(Sanitized("/go?to=http://eve:secret@host"), "/go");
}

TEST(UrlSanitizer, CutsBehindTheTenthSlash) {
  EXPECT_EQ(Sanitized("/a/b/c/d/e/f/g/h/i/j/k"), "/a/b/c/d/e/f/g/h/i");
  EXPECT_EQ(Sanitized(std::string(100, '/')), std::string(9, '/'));
}

TEST(UrlSanitizerProperty, NeverLengthensAndShowsNoNumber) {
  constexpr std::string_view kBytes = "/.-_ ?&#@%*abcdfgh12\xc3";
  Rng random(2);
  for (int round = 0; round < 20000; ++round) {
    std::string url = round % 2 == 0 ? "" : "http://h/";
    for (size_t size = random.Below(30); size > 0; --size) url += kBytes[random.Below(kBytes.size())];
    url += "77";
    const std::string sanitized = Sanitized(url);
    EXPECT_LE(sanitized.size(), url.size()) << url;
    EXPECT_EQ(sanitized.find("77"), std::string::npos) << url;
    EXPECT_EQ(Sanitized(sanitized), sanitized) << url;
  }
}

std::string NameAfter(otlp::SpanKind kind, const char* name, const char* attribute = "a") {
  const otlp::Batch batch = BatchOfSpan({.fields = {.trace_id = {}, .span_id = {}, .name = name, .kind = kind},
                                         .attributes = [&](otlp::AttributeWriter& w) { w.String(attribute, "x"); }});
  std::string result;
  batch.slices().front().ForEach([&](const otlp::SpanContext& span) {
    result = UrlSanitizer({.enabled = true, .attributes = {}}).SpanName(span.span).value_or("(left)");
  });
  return result;
}

// Scenario: spans with a path for a name, of several kinds; names without a slash, with and without attributes of HTTP.
// Guarantees: names of clients and servers lose their ids; what would be nothing but stars is left.
TEST(UrlSanitizer, NamesHttpSpans) {
  EXPECT_EQ(NameAfter(otlp::SpanKind::kServer, "GET /pay/12345/detail"), "GET /pay/*/detail");
  EXPECT_EQ(NameAfter(otlp::SpanKind::kClient, "/pay/12345"), "/pay/*");
  EXPECT_EQ(NameAfter(otlp::SpanKind::kInternal, "/pay/12345"), "(left)");
  EXPECT_EQ(NameAfter(otlp::SpanKind::kServer, "/pay/users"), "(left)");
  EXPECT_EQ(NameAfter(otlp::SpanKind::kServer, "/123/456"), "(left)");
  EXPECT_EQ(NameAfter(otlp::SpanKind::kServer, "operation-123"), "(left)");
  EXPECT_EQ(NameAfter(otlp::SpanKind::kServer, "operation?id=1"), "(left)");
  EXPECT_EQ(NameAfter(otlp::SpanKind::kServer, "operation?id=1", "http.route"), "operation");
}

}  // namespace
}  // namespace spanloom::pipeline
