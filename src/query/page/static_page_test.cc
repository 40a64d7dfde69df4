// SPDX-License-Identifier: Apache-2.0

#include "query/page/static_page.h"

#include <gtest/gtest.h>

#include "net/compression.h"

namespace spanloom::query::page {
namespace {

class StaticPageTest : public testing::Test {
 protected:
  net::HttpResponse Get(const char* path, const char* header = nullptr, const char* value = nullptr) const {
    net::HttpRequest request;
    request.method = "GET";
    request.path = path;
    if (header != nullptr) request.headers.Add(header, value);
    return page_.Handle(request);
  }

  const Bytes index_ = net::Compress(net::Compression::kGzip, "<html>");
  const Bytes script_ = net::Compress(net::Compression::kGzip, "script");
  const StaticPage page_{{{"/index.html", "text/html; charset=utf-8", index_.view(), "i1"},
                          {"/favicon.svg", "image/svg+xml", index_.view(), "f1"},
                          {"/assets/plain.js", "text/javascript", script_.view(), "p1"},
                          {"/assets/index-Bk_3j2-Q.js", "text/javascript", script_.view(), "s1"}}};
};

// Scenario: a file for a client that takes gzip, and for one that does not.
// Guarantees: the kept bytes, or the content; types and coding are said.
TEST_F(StaticPageTest, ServesAFileAsTheClientTakesIt) {
  const net::HttpResponse zipped = Get("/index.html", "accept-encoding", "gzip");
  EXPECT_EQ(zipped.status, 200);
  EXPECT_EQ(zipped.body.view(), index_.view());
  EXPECT_EQ(zipped.headers.Get("content-encoding"), "gzip");
  EXPECT_EQ(zipped.headers.Get("content-type"), "text/html; charset=utf-8");

  const net::HttpResponse plain = Get("/index.html");
  EXPECT_EQ(plain.body.view(), "<html>");
  EXPECT_EQ(plain.headers.Get("content-encoding"), "");
  EXPECT_EQ(plain.headers.Get("vary"), "accept-encoding");
}

// Scenario: a file with a hash in its name, one without, and the page itself.
// Guarantees: only the first may be kept without asking again.
TEST_F(StaticPageTest, OnlyHashedNamesAreImmutable) {
  EXPECT_EQ(Get("/assets/index-Bk_3j2-Q.js").headers.Get("cache-control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(Get("/assets/plain.js").headers.Get("cache-control"), "no-cache");
  EXPECT_EQ(Get("/index.html").headers.Get("cache-control"), "no-cache");
}

// Scenario: the client has the file, an older one, or any.
// Guarantees: 304 without a body where it is the same, weak and strong tags alike.
TEST_F(StaticPageTest, AnswersNotModified) {
  for (const char* tags : {"\"i1\"", "W/\"i1\"", "\"x\", W/\"i1\"", "*"}) {
    const net::HttpResponse response = Get("/index.html", "if-none-match", tags);
    EXPECT_EQ(response.status, 304) << tags;
    EXPECT_TRUE(response.body.empty());
    EXPECT_EQ(response.headers.Get("etag"), "W/\"i1\"");
  }
  for (const char* tags : {"\"i2\"", "i1", "\"i\"", ""}) {
    EXPECT_EQ(Get("/index.html", "if-none-match", tags).status, 200) << tags;
  }
}

// Scenario: addresses within the page, a missing asset, an attempt to leave the table.
// Guarantees: the page for addresses, 404 for assets: a browser must not take HTML for a script.
TEST_F(StaticPageTest, ServesThePageForItsAddresses) {
  for (const char* path : {"/", "/trace/abc", "/search", "/../../etc/passwd", "/%2e%2e/secret"}) {
    EXPECT_EQ(Get(path).body.view(), "<html>") << path;
  }
  EXPECT_EQ(Get("/assets/gone-12345678.js").status, 404);
  EXPECT_EQ(
      StaticPage({}).Handle({.method = "GET", .path = "/", .query = "", .headers = {}, .body = {}, .peer = ""}).status,
      404);
}

// Scenario: a POST to the page.
// Guarantees: 405 with what is allowed.
TEST_F(StaticPageTest, RefusesOtherMethods) {
  const net::HttpResponse response =
      page_.Handle({.method = "POST", .path = "/", .query = "", .headers = {}, .body = {}, .peer = ""});
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.Get("allow"), "GET, HEAD");
}

}  // namespace
}  // namespace spanloom::query::page
