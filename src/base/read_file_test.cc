// SPDX-License-Identifier: Apache-2.0

#include "base/read_file.h"

#include <gtest/gtest.h>

#include <fstream>

namespace spanloom {
namespace {

// Guarantees: every byte, of a file of several pieces and of one whose size the system does not tell.
TEST(ReadFile, ReadsEveryByte) {
  const std::string path = testing::TempDir() + "read_file_test";
  std::string content(200'000, 'x');
  content[70'000] = '\0';
  std::ofstream(path, std::ios::binary) << content;
  EXPECT_EQ(*ReadFile(path), content);
  EXPECT_NE(ReadFile("/proc/self/status")->find("VmRSS"), std::string::npos);
}

// Guarantees: what is no file is an error, with the system's words.
TEST(ReadFile, SaysWhyNot) {
  EXPECT_EQ(ReadFile(testing::TempDir()).status().message(), "Is a directory");
  EXPECT_TRUE(absl::IsOutOfRange(ReadFile("/dev/zero", 100'000).status()));
  const Status missing = ReadFile("/no/such/file").status();
  EXPECT_EQ(missing.message(), "No such file or directory");
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace spanloom
