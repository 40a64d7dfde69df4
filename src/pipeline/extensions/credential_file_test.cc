// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/credential_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "net/testing/certificates.h"

namespace spanloom::pipeline {
namespace {

// Scenario: a file that is exchanged, that goes away, and that comes back.
// Guarantees: its newest content is given; what was there goes on while there is none.
TEST(CredentialFile, FollowsItsFile) {
  const net::TestFolder folder;
  const std::string path = folder.Write("token", "one\n");
  CredentialFile file(path, "test");
  ASSERT_TRUE(file.Start().ok());
  EXPECT_EQ(file.content(), "one\n");
  file.Stop();  // from here on it is looked at by hand
  EXPECT_FALSE(file.Reload());
  folder.Write("token", "two");
  EXPECT_TRUE(file.Reload());
  EXPECT_EQ(file.content(), "two");
  std::filesystem::remove(path);
  EXPECT_FALSE(file.Reload());
  EXPECT_EQ(file.content(), "two");
  folder.Write("token", "three");
  EXPECT_TRUE(file.Reload());
  EXPECT_EQ(file.content(), "three");
}

TEST(CredentialFile, RefusesWhatItCanNotRead) {
  const net::TestFolder folder;
  const std::string large = folder.Write("large", std::string(kCredentialFileBytesMax + 1, 'x'));
  for (const std::string& path : {folder.PathOf("none"), folder.PathOf("."), large}) {
    const Status status = CredentialFile(path, "test").Start();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr(path));
  }
  const Status directory = CredentialFile(folder.PathOf("."), "test").Start();
  EXPECT_THAT(std::string(directory.message()), testing::HasSubstr("Is a directory"));
}

}  // namespace
}  // namespace spanloom::pipeline
