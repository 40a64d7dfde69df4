// SPDX-License-Identifier: Apache-2.0

#include "store/data_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "base/text.h"

namespace spanloom::store {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class DataDirTest : public testing::Test {
 protected:
  ~DataDirTest() override { fs::remove_all(root_); }

  [[nodiscard]] std::string path() const { return (root_ / "a" / "b").string(); }
  [[nodiscard]] StatusOr<DataDir> Take() { return DataDir::Take(path(), clock_); }

  SimClock clock_;
  const fs::path root_ = fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
};

// Scenario: a directory whose parents do not exist either.
// Guarantees: it is made, holds the lock file and nothing else; File names what is in it.
TEST_F(DataDirTest, CreatesWhatIsMissing) {
  const auto directory = Take();
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_EQ(directory->File("x"), path() + "/x");
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path())) names.push_back(entry.path().filename());
  EXPECT_THAT(names, testing::ElementsAre("LOCK"));
}

// Scenario: a second owner comes while the first is there, and again when it has gone.
// Guarantees: one at a time; the refusal names the path, the owner and since when; a leftover lock file is no obstacle.
TEST_F(DataDirTest, HasOneOwnerAtATime) {
  auto first = std::make_optional(Take());
  ASSERT_TRUE(first->ok());
  const Status refused = Take().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  const std::string message(refused.message());
  EXPECT_THAT(message, HasSubstr(path()));
  EXPECT_THAT(message, HasSubstr(StrCat("process ", getpid(), ", started 2026-01-01T00:00:00Z")));

  first.reset();
  EXPECT_TRUE(Take().ok());
}

// Scenario: a file stands where the directory, or a parent of it, should be.
// Guarantees: kInvalidArgument that names the path.
TEST_F(DataDirTest, RefusesAFile) {
  fs::create_directories(root_);
  std::ofstream(root_ / "a") << "a file";
  EXPECT_EQ(Take().status().code(), absl::StatusCode::kInvalidArgument);
  const Status same = DataDir::Take((root_ / "a").string(), clock_).status();
  EXPECT_EQ(same.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(same.message()), HasSubstr((root_ / "a").string()));
}

// Scenario: a file system that can't be written to.
// Guarantees: an error with the path and the next step. (/proc refuses even root, under which tests may run.)
TEST_F(DataDirTest, RefusesWhatCannotBeWritten) {
  const Status status = DataDir::Take("/proc/spanloom", clock_).status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("/proc/spanloom"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("another data directory"));
}

}  // namespace
}  // namespace spanloom::store
