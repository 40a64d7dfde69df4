// SPDX-License-Identifier: Apache-2.0
//
// What every Disk does, on the machine's and on the simulated one.

#include "store/disk/disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/disk/posix_disk.h"
#include "store/disk/testing/simulated_disk.h"

namespace spanloom::store::disk {
namespace {

using testing::ElementsAre;

class DiskTest : public testing::TestWithParam<std::string_view> {
 protected:
  DiskTest() {
    if (GetParam() == "posix") {
      const auto* test = testing::UnitTest::GetInstance()->current_test_info();
      std::string name = std::string("disk_") + test->name();
      for (char& letter : name) letter = letter == '/' ? '_' : letter;
      directory_ = (std::filesystem::path(testing::TempDir()) / name).string();
      std::filesystem::remove_all(directory_);
      disk_ = std::make_unique<PosixDisk>();
    } else {
      directory_ = "/data";
      disk_ = std::make_unique<SimulatedDisk>();
    }
    EXPECT_TRUE(disk_->CreateDirectory(directory_).ok());
  }

  ~DiskTest() override {
    if (GetParam() == "posix") std::filesystem::remove_all(directory_);
  }

  [[nodiscard]] std::string Path(std::string_view name) const { return Join(directory_, name); }

  std::unique_ptr<File> Open(std::string_view name, OpenMode mode) {
    auto file = disk_->Open(Path(name), mode);
    EXPECT_TRUE(file.ok()) << file.status();
    return file.ok() ? *std::move(file) : nullptr;
  }

  static void Append(File& file, std::vector<std::string_view> parts) {
    const Status status = file.Append(parts);
    EXPECT_TRUE(status.ok()) << status;
  }

  std::string Read(std::string_view name) {
    const auto file = Open(name, OpenMode::kRead);
    std::string content(*file->Size(), '\0');
    EXPECT_EQ(*file->ReadAt(0, content), content.size());
    return content;
  }

  std::string directory_;
  std::unique_ptr<Disk> disk_;
};

INSTANTIATE_TEST_SUITE_P(Disks, DiskTest, testing::Values("posix", "simulated"),
                         [](const auto& parameter) { return std::string(parameter.param); });

// Scenario: appends of several parts, empty ones among them; writes over the middle and beyond the end; a cut.
// Guarantees: the file is what was asked for, and the gap is zeros.
TEST_P(DiskTest, WritesWhatItIsGiven) {
  const auto file = Open("a", OpenMode::kCreateExclusive);
  Append(*file, {"one", "", "two"});
  Append(*file, {""});
  Append(*file, {"three"});
  EXPECT_EQ(Read("a"), "onetwothree");
  EXPECT_TRUE(file->WriteAt(3, "TWO").ok());
  EXPECT_TRUE(file->WriteAt(13, "!").ok());
  EXPECT_EQ(Read("a"), std::string("oneTWOthree\0\0!", 14));
  EXPECT_TRUE(file->Truncate(3).ok());
  Append(*file, {"+"});
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_EQ(Read("a"), "one+");
}

// Scenario: an append of 3000 parts of growing length, more than one call of the system takes.
// Guarantees: none is lost, doubled or out of order.
TEST_P(DiskTest, AppendsAnyNumberOfParts) {
  std::vector<std::string> owned;
  for (size_t i = 0; i < 3000; ++i) owned.emplace_back(i % 97, static_cast<char>('a' + i % 26));
  std::vector<std::string_view> parts(owned.begin(), owned.end());
  std::string expected;
  for (const std::string& part : owned) expected += part;
  const auto file = Open("a", OpenMode::kCreate);
  Append(*file, parts);
  EXPECT_EQ(Read("a"), expected);
}

// Scenario: reads within, across and beyond the end.
// Guarantees: as many bytes as there are.
TEST_P(DiskTest, ReadsWhatIsThere) {
  const auto file = Open("a", OpenMode::kCreate);
  Append(*file, {"0123456789"});
  std::array<char, 4> target{};
  EXPECT_EQ(*file->ReadAt(2, target), 4);
  EXPECT_EQ(std::string_view(target.data(), 4), "2345");
  EXPECT_EQ(*file->ReadAt(8, target), 2);
  EXPECT_EQ(*file->ReadAt(10, target), 0);
  EXPECT_EQ(*file->ReadAt(1000, target), 0);
}

// Scenario: files that are there and files that are not, opened in each mode.
// Guarantees: what OpenMode says.
TEST_P(DiskTest, OpensByMode) {
  EXPECT_EQ(disk_->Open(Path("a"), OpenMode::kRead).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(disk_->Open(Path("a"), OpenMode::kReadWrite).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(disk_->Open(Path("b/a"), OpenMode::kCreate).status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(disk_->Open(directory_, OpenMode::kReadWrite).ok());
  Append(*Open("a", OpenMode::kCreate), {"x"});
  EXPECT_EQ(disk_->Open(Path("a"), OpenMode::kCreateExclusive).status().code(), absl::StatusCode::kAlreadyExists);
  Append(*Open("a", OpenMode::kCreate), {"y"});
  Append(*Open("a", OpenMode::kReadWrite), {"z"});
  EXPECT_EQ(Read("a"), "xyz");
  const auto reader = Open("a", OpenMode::kRead);
  EXPECT_FALSE(reader->WriteAt(0, "q").ok());
  EXPECT_FALSE(reader->Truncate(0).ok());
  EXPECT_EQ(Read("a"), "xyz");
}

// Scenario: files renamed (over another one too), linked, removed; a directory among them.
// Guarantees: names and contents follow, a removed file lives on under its other name, and errors have their codes.
TEST_P(DiskTest, ChangesNames) {
  Append(*Open("b", OpenMode::kCreate), {"b"});
  Append(*Open("a", OpenMode::kCreate), {"a"});
  EXPECT_TRUE(disk_->CreateDirectory(Path("d")).ok());
  EXPECT_TRUE(disk_->CreateDirectory(Path("d")).ok());
  EXPECT_THAT(*disk_->List(directory_), ElementsAre("a", "b"));
  EXPECT_TRUE(disk_->Link(Path("a"), Path("d/c")).ok());
  EXPECT_EQ(disk_->Link(Path("a"), Path("b")).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(disk_->Link(Path("q"), Path("r")).code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(disk_->Rename(Path("b"), Path("a")).ok());
  EXPECT_EQ(disk_->Rename(Path("b"), Path("a")).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Read("a"), "b");
  EXPECT_EQ(Read("d/c"), "a");
  EXPECT_TRUE(disk_->Remove(Path("a")).ok());
  EXPECT_EQ(disk_->Remove(Path("a")).code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(*disk_->List(directory_), ElementsAre());
  EXPECT_THAT(*disk_->List(Path("d")), ElementsAre("c"));
  EXPECT_EQ(disk_->List(Path("e")).status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(*disk_->Exists(Path("d/c")));
  EXPECT_TRUE(*disk_->Exists(Path("d")));
  EXPECT_FALSE(*disk_->Exists(Path("a")));
  EXPECT_FALSE(*disk_->Exists(Path("e/a")));
  EXPECT_TRUE(disk_->SyncDirectory(directory_).ok());
  EXPECT_EQ(disk_->SyncDirectory(Path("e")).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(disk_->CreateDirectory(Path("e/f")).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(disk_->CreateDirectory(Path("d/c")).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_GT(*disk_->FreeBytes(directory_), 0);
}

// Scenario: paths with and without a directory.
// Guarantees: Join and DirectoryOf are each other's reverse.
TEST(DiskPaths, AreJoinedAndTakenApart) {
  EXPECT_EQ(Join("/", "a"), "/a");
  EXPECT_EQ(Join("d", "a"), "d/a");
  EXPECT_EQ(DirectoryOf("/a"), "/");
  EXPECT_EQ(DirectoryOf("/d/a"), "/d");
  EXPECT_EQ(DirectoryOf("a"), ".");
}

}  // namespace
}  // namespace spanloom::store::disk
