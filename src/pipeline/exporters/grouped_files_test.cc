// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/grouped_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/rng.h"
#include "base/text.h"

namespace spanloom::pipeline {
namespace {

using testing::Eq;
using testing::Optional;

class GroupedFilesTest : public testing::Test {
 protected:
  GroupedFilesTest() : directory_(testing::TempDir() + "grouped_files_" + std::to_string(getpid())) {
    std::filesystem::remove_all(directory_);
  }
  ~GroupedFilesTest() override { std::filesystem::remove_all(directory_); }
  [[nodiscard]] std::string Content(const std::string& path) const {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] GroupedFilesOptions Options(const std::string& before, const std::string& after) const {
    return {.before = directory_.string() + before, .after = after, .open_max = 2};
  }

  const std::filesystem::path directory_;
  SimClock clock_;
};

// Guarantees: segments stay below what stands before the star, whatever they say, and what can be no path is none.
TEST_F(GroupedFilesTest, LeadsNowhereElse) {
  const GroupedFiles files({.before = "/data/x-", .after = ".json"}, clock_);
  EXPECT_THAT(files.PathOf("a"), Optional(Eq("/data/x-a.json")));
  EXPECT_THAT(files.PathOf("a/b"), Optional(Eq("/data/x-a/b.json")));
  EXPECT_THAT(files.PathOf("../../etc/passwd"), Optional(Eq("/data/x-etc/passwd.json")));
  EXPECT_THAT(files.PathOf("/etc//./passwd"), Optional(Eq("/data/x-etc/passwd.json")));
  EXPECT_THAT(files.PathOf("a/../../../b"), Optional(Eq("/data/x-b.json")));
  EXPECT_THAT(files.PathOf(".."), Optional(Eq("/data/x-...json")));
  EXPECT_THAT(files.PathOf(""), Optional(Eq("/data/x-.json")));
  EXPECT_EQ(files.PathOf(std::string_view("a\0b", 3)), std::nullopt);
  EXPECT_EQ(files.PathOf(std::string(300, 'a')), std::nullopt);
  const GroupedFiles bare({.before = "/data/", .after = ""}, clock_);
  EXPECT_EQ(bare.PathOf(".."), std::nullopt);
  EXPECT_EQ(bare.PathOf(""), std::nullopt);
  EXPECT_THAT(bare.PathOf("a/"), Optional(Eq("/data/a")));
}

// Scenario: segments put together at random of what is dangerous.
// Guarantees: the path, as the system would resolve it, is below the folder.
TEST_F(GroupedFilesTest, LeadsNowhereElseProperty) {
  const GroupedFiles files({.before = "/data/", .after = "/spans"}, clock_);
  constexpr std::string_view kParts[] = {"..", ".", "/", "//", "a", "...", "~", "\\", "*", "../"};
  Rng rng(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string segment;
    for (uint64_t parts = rng.Below(8); parts > 0; --parts) StrAppend(segment, kParts[rng.Below(std::size(kParts))]);
    const auto path = files.PathOf(segment);
    ASSERT_TRUE(path.has_value()) << segment;
    ASSERT_TRUE(std::filesystem::path(*path).lexically_normal().string().starts_with("/data/")) << segment;
  }
}

// Scenario: three files of which two may be open, one written to again after it was closed; content from before.
// Guarantees: each has its records in order; what was there before is gone, what is new is not.
TEST_F(GroupedFilesTest, ReopensWithoutLoss) {
  GroupedFiles files(Options("/", ".log"), clock_);
  ASSERT_TRUE(MakeDirectories(directory_.string(), 0755).ok());
  const std::string first = *files.PathOf("a");
  std::ofstream(first) << "old";
  for (const char* segment : {"a", "b", "c", "a"}) {
    ASSERT_TRUE(files.Append(*files.PathOf(segment), StrCat(segment, "1")).ok());
  }
  EXPECT_EQ(Content(first), "a1a1");
  GroupedFilesOptions options = Options("/", ".log");
  options.keeps = true;
  GroupedFiles kept(options, clock_);
  ASSERT_TRUE(kept.Append(first, "2").ok());
  EXPECT_EQ(Content(first), "a1a12");
}

// Guarantees: directories that are missing are made, with the permissions that were asked for and no others.
TEST_F(GroupedFilesTest, MakesDirectories) {
  GroupedFilesOptions options = Options("/deep/", "/spans");
  options.directory_mode = 0710;
  GroupedFiles files(options, clock_);
  ASSERT_EQ(files.Append(*files.PathOf("a/b"), "1"), absl::OkStatus());
  struct stat found;
  ASSERT_EQ(stat((directory_ / "deep/a/b").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0710u);
  const Status status = files.Append(*files.PathOf("a/b/spans/c"), "1");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
}

}  // namespace
}  // namespace spanloom::pipeline
