// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/rotating_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <vector>

#include "base/testing/jumping_clock.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000'000;

class RotatingFileTest : public testing::Test {
 protected:
  RotatingFileTest() : directory_(testing::TempDir() + "rotating_file_" + std::to_string(getpid())) {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  ~RotatingFileTest() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string path() const { return (directory_ / "spans.json").string(); }

  // Sorted.
  [[nodiscard]] std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
  [[nodiscard]] std::string Content(const std::string& name) const {
    std::ifstream file(directory_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const std::filesystem::path directory_;
  SimClock clock_;
};

// Scenario: records of 4 bytes into files of 10, a second apart; one of 20 among them.
// Guarantees: no record is cut; a full file is put aside under the time it was; a large record has a file of its own.
TEST_F(RotatingFileTest, PutsFullFilesAside) {
  RotatingFile file(path(), RotationLimits{.bytes_max = 10}, clock_);
  ASSERT_TRUE(file.Open(false).ok());
  for (const std::string& record :
       {std::string("aaaa"), std::string("bbbb"), std::string(20, 'c'), std::string("dddd")}) {
    clock_.Advance(kSecond);
    ASSERT_TRUE(file.Append(record).ok());
  }
  EXPECT_THAT(Files(),
              ElementsAre("spans-2026-01-01T00-00-03.000.json", "spans-2026-01-01T00-00-04.000.json", "spans.json"));
  EXPECT_EQ(Content("spans-2026-01-01T00-00-03.000.json"), "aaaabbbb");
  EXPECT_EQ(Content("spans-2026-01-01T00-00-04.000.json"), std::string(20, 'c'));
  EXPECT_EQ(Content("spans.json"), "dddd");
}

// Scenario: many full files, of which two are to stay; a file with a similar name that is not one of them.
// Guarantees: the two newest stay, and the other file.
TEST_F(RotatingFileTest, KeepsTheNewest) {
  std::ofstream(directory_ / "spans-old.json") << "mine";
  RotatingFile file(path(), RotationLimits{.bytes_max = 4, .backups_max = 2}, clock_);
  ASSERT_TRUE(file.Open(false).ok());
  for (int i = 0; i < 6; ++i) {
    clock_.Advance(kSecond);
    ASSERT_TRUE(file.Append("aaaa").ok());
  }
  EXPECT_THAT(Files(), ElementsAre("spans-2026-01-01T00-00-05.000.json", "spans-2026-01-01T00-00-06.000.json",
                                   "spans-old.json", "spans.json"));
}

// Scenario: files of which those older than a minute are to go.
// Guarantees: they go when the next one is put aside.
TEST_F(RotatingFileTest, RemovesTheOld) {
  RotatingFile file(path(), RotationLimits{.bytes_max = 4, .age_max_ns = 60 * kSecond}, clock_);
  ASSERT_TRUE(file.Open(false).ok());
  ASSERT_TRUE(file.Append("aaaa").ok());
  ASSERT_TRUE(file.Append("bbbb").ok());
  EXPECT_EQ(Files().size(), 2u);
  clock_.Advance(61 * kSecond);
  ASSERT_TRUE(file.Append("cccc").ok());
  EXPECT_THAT(Files(), ElementsAre("spans-2026-01-01T00-01-01.000.json", "spans.json"));
}

// Scenario: files are put aside at one and the same time, then the clock is set back by a day, and ahead by two; of
// five such files two are to stay. Guarantees: none is written over; those that stay are the last ones.
TEST_F(RotatingFileTest, KeepsTheNewestWhenTheClockJumps) {
  JumpingClock clock;
  RotatingFile all(path(), RotationLimits{.bytes_max = 4}, clock);
  ASSERT_TRUE(all.Open(false).ok());
  for (const auto& [record, offset_ns] : std::vector<std::pair<std::string, int64_t>>{
           {"1111", 0}, {"2222", 0}, {"3333", 0}, {"4444", -kDayNs}, {"5555", kDayNs}, {"6666", 0}}) {
    clock.Set(offset_ns);
    ASSERT_TRUE(all.Append(record).ok());
  }
  ASSERT_EQ(Files().size(), 6u);
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(Content(Files()[i]), std::string(4, static_cast<char>('1' + i)));

  clock.Set(-kDayNs);
  RotatingFile two(path(), RotationLimits{.bytes_max = 4, .backups_max = 2}, clock);
  ASSERT_TRUE(two.Open(true).ok());
  ASSERT_TRUE(two.Append("7777").ok());
  ASSERT_EQ(Files().size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(Content(Files()[i]), std::string(4, static_cast<char>('5' + i)));
}

// Scenario: a file that is there already.
// Guarantees: it is emptied, unless it is to be kept or may be put aside.
TEST_F(RotatingFileTest, KeepsWhatIsThereIfTold) {
  std::ofstream(path()) << "old";
  {
    RotatingFile kept(path(), std::nullopt, clock_);
    ASSERT_TRUE(kept.Open(true).ok());
    ASSERT_TRUE(kept.Append("new").ok());
  }
  EXPECT_EQ(Content("spans.json"), "oldnew");
  RotatingFile emptied(path(), std::nullopt, clock_);
  ASSERT_TRUE(emptied.Open(false).ok());
  EXPECT_EQ(Content("spans.json"), "");
}

// Scenario: a directory that is not there, and a device that is full.
// Guarantees: errors name the path and the reason, and say that it may go better later.
TEST_F(RotatingFileTest, SaysWhatIsWrong) {
  RotatingFile nowhere((directory_ / "none/spans.json").string(), std::nullopt, clock_);
  EXPECT_THAT(std::string(nowhere.Open(false).message()), HasSubstr("none/spans.json: No such file or directory"));
  RotatingFile full("/dev/full", std::nullopt, clock_);
  ASSERT_TRUE(full.Open(true).ok());
  const Status status = full.Append("aaaa");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("/dev/full: No space left on device"));
}

}  // namespace
}  // namespace spanloom::pipeline
