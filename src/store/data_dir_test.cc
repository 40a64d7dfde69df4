// SPDX-License-Identifier: Apache-2.0

#include "store/data_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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

// The variables as the test wants them, and as they were afterwards.
class DefaultDataDirTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* const name : {"XDG_DATA_HOME", "HOME"}) {
      const char* const value = std::getenv(name);
      before_.emplace_back(name, value == nullptr ? std::nullopt : std::optional<std::string>(value));
      unsetenv(name);
    }
  }
  void TearDown() override {
    for (const auto& [name, value] : before_) {
      value ? setenv(name.c_str(), value->c_str(), 1) : unsetenv(name.c_str());
    }
  }

 private:
  std::vector<std::pair<std::string, std::optional<std::string>>> before_;
};

TEST_F(DefaultDataDirTest, IsTheUsers) {
  setenv("HOME", "/home/ada", 1);
  EXPECT_EQ(*DefaultDataDir(), "/home/ada/.local/share/spanloom");
  setenv("XDG_DATA_HOME", "/data", 1);
  EXPECT_EQ(*DefaultDataDir(), "/data/spanloom");
  setenv("XDG_DATA_HOME", "not/absolute", 1);
  EXPECT_EQ(*DefaultDataDir(), "/home/ada/.local/share/spanloom");
}

TEST_F(DefaultDataDirTest, SaysWhatToDoWithoutOne) {
  const Status status = DefaultDataDir().status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_NE(status.message().find("--in-memory"), std::string::npos);
}

// Scenario: a directory that nobody has had, one that somebody has, and had.
// Guarantees: the owner is named while it is there, and looking for it is in nobody's way.
TEST_F(DataDirTest, NamesItsOwner) {
  EXPECT_EQ(*DataDir::OwnerOf(path()), std::nullopt);
  {
    const auto taken = Take();
    ASSERT_TRUE(taken.ok()) << taken.status();
    EXPECT_THAT(DataDir::OwnerOf(path())->value_or(""), HasSubstr(StrCat("process ", getpid(), ", started ")));
  }
  EXPECT_EQ(*DataDir::OwnerOf(path()), std::nullopt);
  EXPECT_TRUE(Take().ok());
}

}  // namespace
}  // namespace spanloom::store
