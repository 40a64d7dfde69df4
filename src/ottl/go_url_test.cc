// SPDX-License-Identifier: Apache-2.0

#include "ottl/go_url.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace spanloom::ottl {
namespace {

// The parts, a line each that is there.
std::string Parts(std::string_view text) {
  const auto url = GoUrl::Parse(text);
  if (!url.ok()) return std::string(url.status().message());
  std::string parts;
  const auto put = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) StrAppend(parts, parts.empty() ? "" : " ", name, "=", value);
  };
  put("scheme", url->scheme);
  put("opaque", url->opaque);
  put("user", url->UserInfo());
  put("host", url->HostName());
  put("port", url->Port());
  put("path", url->path);
  put("query", url->query);
  put("fragment", url->fragment);
  return parts;
}

// Expected texts are what Go 1.26 says.
TEST(GoUrl, IsTakenApart) {
  EXPECT_EQ(Parts("HTTP://u%40x:p:w@h.example:8080/a%2fb.c?q=%zz#f%20g"),
            "scheme=http user=u%40x:p%3Aw host=h.example port=8080 path=/a/b.c query=q=%zz fragment=f g");
  EXPECT_EQ(Parts("mailto:a@b.c"), "scheme=mailto opaque=a@b.c");
  EXPECT_EQ(Parts("file:/etc/hosts"), "scheme=file path=/etc/hosts");
  EXPECT_EQ(Parts("//h/p"), "host=h path=/p");
  EXPECT_EQ(Parts("///p"), "path=///p");
  EXPECT_EQ(Parts("http://[fe80::1%25en0]:80/"), "scheme=http host=fe80::1%en0 port=80 path=/");
  EXPECT_EQ(Parts("postgres://a:1,b:2/db"), "scheme=postgres host=a:1,b port=2 path=/db");
  EXPECT_EQ(Parts("a/b:c"), "path=a/b:c");
  EXPECT_EQ(Parts("*"), "path=*");
}

TEST(GoUrl, RefusesWhatGoRefuses) {
  EXPECT_EQ(Parts(":a"), "parse \":a\": missing protocol scheme");
  EXPECT_EQ(Parts("1:a"), "parse \"1:a\": first path segment in URL cannot contain colon");
  EXPECT_EQ(Parts("http://h:x/"), "parse \"http://h:x/\": invalid port \":x\" after host");
  EXPECT_EQ(Parts("http://a:1:2/"), "parse \"http://a:1:2/\": invalid port \":1:2\" after host");
  EXPECT_EQ(Parts("http://h%41/"), "parse \"http://h%41/\": invalid URL escape \"%41\"");
  EXPECT_EQ(Parts("http://a b/"), "parse \"http://a b/\": invalid character \" \" in host name");
  EXPECT_EQ(Parts("http://u\\v@h/"), "parse \"http://u\\\\v@h/\": net/url: invalid userinfo");
  EXPECT_EQ(Parts("http://[::1/"), "parse \"http://[::1/\": missing ']' in host");
  EXPECT_EQ(Parts("http://a[::1]/"), "parse \"http://a[::1]/\": invalid IP-literal");
  EXPECT_EQ(Parts("/%4"), "parse \"/%4\": invalid URL escape \"%4\"");
  EXPECT_EQ(Parts("/a#%zz"), "parse \"/a#%zz\": invalid URL escape \"%zz\"");
  EXPECT_EQ(Parts("/a\tb"), "parse \"/a\\tb\": net/url: invalid control character in URL");
}

TEST(GoUrl, IsWrittenEscaped) {
  const auto written = [](std::string_view text) { return GoUrl::Parse(text)->ToString(); };
  for (const char* same : {"http://u:p@h:1/a%2Fb?x=y#z", "mailto:a@b", "file:///a", "file:/a", "//h/p", "a/b:c",
                           "/a[1]", "http://h", "http://h?", "?a=b", "*"}) {
    EXPECT_EQ(written(same), same);
  }
  EXPECT_EQ(written("HTTP://H/a b\"c"), "http://H/a%20b%22c");
  EXPECT_EQ(written("/é#<"), "/%C3%A9#%3C");
  EXPECT_EQ(written("http:///a"), "http:///a");
  EXPECT_EQ(written("a%3A b/"), "./a:%20b/");
}

TEST(ParseGoQuery, ReadsPairs) {
  const auto query = ParseGoQuery("a=1+2&b=%20&a=&c&&=d");
  ASSERT_TRUE(query.ok());
  const std::map<std::string, std::vector<std::string>> expected = {
      {"a", {"1 2", ""}}, {"b", {" "}}, {"c", {""}}, {"", {"d"}}};
  EXPECT_EQ(*query, expected);
  EXPECT_FALSE(ParseGoQuery("a=%2").ok());
  EXPECT_FALSE(ParseGoQuery("a;b=1").ok());
}

}  // namespace
}  // namespace spanloom::ottl
