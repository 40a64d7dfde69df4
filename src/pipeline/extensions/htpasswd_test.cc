// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/htpasswd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spanloom::pipeline {
namespace {

TEST(Htpasswd, FindsUsers) {
  Htpasswd users;
  EXPECT_EQ(users.AnyHash(), nullptr);
  ASSERT_TRUE(users.Add("# who may send\n\n alice:one:two \r\nbob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=").ok());
  EXPECT_TRUE(users.Find("alice")->Matches("one:two"));
  EXPECT_TRUE(users.Find("bob")->Matches("secret"));
  EXPECT_EQ(users.Find("carol"), nullptr);
  EXPECT_NE(users.AnyHash(), nullptr);
  ASSERT_TRUE(users.Add("alice:new").ok());
  EXPECT_TRUE(users.Find("alice")->Matches("new"));
  EXPECT_FALSE(users.Find("alice")->Matches("one:two"));
}

// Guarantees: an error says where, and not what stands there.
TEST(Htpasswd, NamesTheLine) {
  for (const char* text : {"a:b\nhidden", "a:b\n:hidden", "a:b\nc:{SHA}hidden!"}) {
    const Status status = Htpasswd().Add(text);
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr("line 2"));
    EXPECT_THAT(std::string(status.message()), testing::Not(testing::HasSubstr("hidden")));
  }
}

}  // namespace
}  // namespace spanloom::pipeline
