// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/password_hash.h"

#include <gtest/gtest.h>

#include <utility>

namespace spanloom::pipeline {
namespace {

constexpr char kLong[] = "a much longer password with more than sixteen bytes";

// Each made by openssl passwd, by crypt(3) of Python, or with sha1sum.
constexpr std::pair<const char*, const char*> kHashes[] = {
    {"secret", "secret"},
    {"secret", "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="},
    {"secret", "{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0"},
    {"", "$apr1$8sFt66rZ$QkOfebwJVEOpEluExHsip."},
    {"secret", "$apr1$8sFt66rZ$eup.HOtZcQ/VrnApBM3rR/"},
    {"secret", "$apr1$ab$jiiV6N7hIIuIoJbc1hxOE/"},
    {kLong, "$apr1$8sFt66rZ$2gT9F1QroA00maZr27J6l0"},
    {"secret", "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1"},
    {"secret", "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"},
    {"secret", "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"},
    {"secret", "$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA"},
    {"secret", "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1"},
};

TEST(PasswordHash, KnowsWhatOthersHashed) {
  for (const auto& [password, text] : kHashes) {
    const StatusOr<PasswordHash> hash = PasswordHash::Parse(text);
    ASSERT_TRUE(hash.ok()) << text << hash.status();
    EXPECT_TRUE(hash->Matches(password)) << text;
    for (const std::string_view wrong : {"Secret", "secret ", "secre", "x"}) {
      EXPECT_FALSE(hash->Matches(wrong)) << text;
    }
    EXPECT_FALSE(hash->Matches(std::string_view("secret\0x", 8))) << text;
  }
}

TEST(PasswordHash, SaysWhichAreSlow) {
  for (const auto& [password, text] : kHashes) {
    EXPECT_EQ(PasswordHash::Parse(text)->is_slow(), text[0] == '$') << text;
  }
}

TEST(PasswordHash, RefusesWhatCanNotBeOne) {
  for (const char* text :
       {"$apr1$", "$apr1$waytoolongsalt$x", "{SHA}!", "{SHA}YWJj", "{SSHA}YWJj", "$2y$99$x", "$2y$", "$6$salt"}) {
    const Status status = PasswordHash::Parse(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text << status;
  }
}

TEST(SameSecret, ComparesWhole) {
  EXPECT_TRUE(SameSecret("", ""));
  EXPECT_TRUE(SameSecret("token", "token"));
  EXPECT_FALSE(SameSecret("token", "tokem"));
  EXPECT_FALSE(SameSecret("token", "toke"));
  EXPECT_FALSE(SameSecret("", "token"));
}

TEST(RandomKey, IsAnotherEachTime) {
  EXPECT_EQ(RandomKey().size(), 32U);
  EXPECT_NE(RandomKey(), RandomKey());
}

}  // namespace
}  // namespace spanloom::pipeline
