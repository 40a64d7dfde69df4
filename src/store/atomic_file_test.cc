// SPDX-License-Identifier: Apache-2.0

#include "store/atomic_file.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace spanloom::store {
namespace {

namespace fs = std::filesystem;

class AtomicFileTest : public testing::Test {
 protected:
  AtomicFileTest() { fs::create_directories(directory_); }
  ~AtomicFileTest() override { fs::remove_all(directory_); }

  [[nodiscard]] std::string path() const { return (directory_ / "file").string(); }
  [[nodiscard]] std::string Read() const {
    std::ostringstream content;
    content << std::ifstream(path()).rdbuf();
    return content.str();
  }
  void Write(std::string_view content) const {
    auto file = AtomicFile::Create(path());
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE(file->Append(content).ok());
    ASSERT_TRUE((*std::move(file)).Commit().ok());
  }

 private:
  const fs::path directory_ =
      fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
};

// Scenario: more than one buffer of content, written in uneven parts.
// Guarantees: the file has all of it, and no temporary file is left.
TEST_F(AtomicFileTest, HoldsAllThatWasAppended) {
  std::string content;
  auto file = AtomicFile::Create(path());
  ASSERT_TRUE(file.ok());
  for (size_t i = 0; i < 10'000; ++i) {
    const std::string part(i % 97, static_cast<char>('a' + i % 26));
    content += part;
    ASSERT_TRUE(file->Append(part).ok());
  }
  ASSERT_TRUE((*std::move(file)).Commit().ok());
  EXPECT_EQ(Read(), content);
  EXPECT_FALSE(fs::exists(path() + ".tmp"));
}

// Scenario: a second version is begun and given up.
// Guarantees: the first stays as it was; nothing else is left.
TEST_F(AtomicFileTest, LeavesTheOldFileUntilTheNewOneIsWhole) {
  Write("first");
  {
    auto file = AtomicFile::Create(path());
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file->Append("second").ok());
  }
  EXPECT_EQ(Read(), "first");
  EXPECT_FALSE(fs::exists(path() + ".tmp"));
  Write("third");
  EXPECT_EQ(Read(), "third");
}

// Scenario: the directory does not exist; a full disk.
// Guarantees: codes that tell the causes apart, and the path in the message.
TEST_F(AtomicFileTest, NamesPathAndCause) {
  const Status status = AtomicFile::Create(path() + "/nowhere/file").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("nowhere"), absl::string_view::npos);
  EXPECT_EQ(FileError("write", "x", ENOSPC).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(FileError("write", "x", EROFS).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(FileError("write", "x", EIO).code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace spanloom::store
