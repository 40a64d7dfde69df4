// SPDX-License-Identifier: Apache-2.0

#include "store/disk/posix_disk.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace spanloom::store::disk {
namespace {

// Scenario: the device that is always full.
// Guarantees: kResourceExhausted, with the path in the message.
TEST(PosixDisk, SaysThatTheDiskIsFull) {
  const auto file = PosixDisk().Open("/dev/full", OpenMode::kReadWrite);
  ASSERT_TRUE(file.ok()) << file.status();
  const std::vector<std::string_view> parts = {"a", "b"};
  EXPECT_EQ((*file)->Append(parts).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ((*file)->WriteAt(0, "a").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE((*file)->WriteAt(0, "a").message().find("/dev/full"), absl::string_view::npos);
}

// Scenario: the system takes 10,000 bytes of an append of 12,000 in 300 parts, then refuses (limit on the file's size).
// Guarantees: the write is continued where it was cut short, the error is told, and the size is what was taken.
TEST(PosixDisk, ContinuesAWriteThatTheSystemCutShort) {
  const std::string path = (std::filesystem::path(testing::TempDir()) / "posix_disk_limit").string();
  std::filesystem::remove(path);
  const auto file = PosixDisk().Open(path, OpenMode::kCreate);
  ASSERT_TRUE(file.ok()) << file.status();
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit = {.rlim_cur = 10'000, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);

  const std::string part(40, 'x');
  const std::vector<std::string_view> parts(300, part);
  const Status status = (*file)->Append(parts);

  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(*(*file)->Size(), 10'000);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace spanloom::store::disk
