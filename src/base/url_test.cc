// SPDX-License-Identifier: Apache-2.0

#include "base/url.h"

#include <gtest/gtest.h>

namespace spanloom {
namespace {

// Scenario: URLs with everything, and with as little as there may be.
// Guarantees: each part is found; the ports are those of the schemes.
TEST(Url, IsTakenApart) {
  const Url whole = *ParseUrl("https://me:p%40ss@host.example:8443/a/b.yaml?token=x&y=/#top");
  EXPECT_TRUE(whole.is_secure);
  EXPECT_EQ(whole.endpoint, "host.example:8443");
  EXPECT_EQ(whole.user_info, "me:p%40ss");
  EXPECT_EQ(whole.path, "/a/b.yaml");
  EXPECT_EQ(whole.query, "token=x&y=/");
  const Url least = *ParseUrl("http://host");
  EXPECT_FALSE(least.is_secure);
  EXPECT_EQ(least.endpoint, "host:80");
  EXPECT_EQ(least.path, "/");
  EXPECT_EQ(ParseUrl("https://[::1]?a")->endpoint, "[::1]:443");
  EXPECT_EQ(ParseUrl("https://[::1]?a")->query, "a");
  EXPECT_EQ(ParseUrl("http://[::1]:8080/")->endpoint, "[::1]:8080");
}

TEST(Url, RefusesWhatIsNone) {
  for (const char* text : {"", "host:80", "ftp://host", "http://", "http:///path", "http://host:x/",
                           "http://host:65536", "https://user@", "http://a b/"}) {
    EXPECT_EQ(ParseUrl(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

// Scenario: secrets where a URL may have them, and an "@" where it is none.
// Guarantees: neither what is shown nor an error repeats them.
TEST(Url, IsShownWithoutSecrets) {
  EXPECT_EQ(ShownUrl("https://me:secret@host:1/a?token=secret#x"), "https://host:1/a");
  EXPECT_EQ(ShownUrl("https://me:sec@ret@host"), "https://host");
  EXPECT_EQ(ShownUrl("http://host/a@b"), "http://host/a@b");
  EXPECT_EQ(ShownUrl("me:secret@host"), "host");
  const std::string refusal(ParseUrl("https://me:secret@host:port?secret").status().message());
  EXPECT_EQ(refusal.find("secret"), std::string::npos) << refusal;
}

}  // namespace
}  // namespace spanloom
