// SPDX-License-Identifier: Apache-2.0

#include "base/process_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace spanloom {
namespace {

class ProcessMemoryTest : public testing::Test {
 protected:
  ProcessMemoryTest() : root_(testing::TempDir() + "process_memory_" + std::to_string(getpid())) {
    std::filesystem::remove_all(root_);
    Put("/proc/meminfo", "MemTotal:       1024 kB\nMemFree:  1 kB\n");
  }
  ~ProcessMemoryTest() override { std::filesystem::remove_all(root_); }

  void Put(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }

  [[nodiscard]] uint64_t Usable(const std::optional<uint64_t>& hint_bytes = {}) const {
    return FindUsableMemory(hint_bytes, root_)->bytes;
  }

  const std::string root_;
};

TEST_F(ProcessMemoryTest, WithoutACgroupIsTheMachines) {
  EXPECT_EQ(Usable(), 1u << 20);
}

// Scenario: cgroup version 2 with limits in the group and above it, none, and one above what the machine has.
// Guarantees: the lowest counts.
TEST_F(ProcessMemoryTest, IsTheLowestLimitOfVersion2) {
  Put("/proc/self/cgroup", "0::/pods/one\n");
  Put("/sys/fs/cgroup/pods/one/memory.max", "max\n");
  Put("/sys/fs/cgroup/pods/memory.max", "5000\n");
  EXPECT_EQ(Usable(), 5000u);
  Put("/sys/fs/cgroup/pods/one/memory.max", "4000\n");
  EXPECT_EQ(Usable(), 4000u);
  Put("/sys/fs/cgroup/pods/one/memory.max", "99999999999\n");
  Put("/sys/fs/cgroup/pods/memory.max", "max\n");
  EXPECT_EQ(Usable(), 1u << 20);
}

// Scenario: a container that sees its own group as the root, of version 2, and of version 1 under the host's name.
// Guarantees: the limit is found there.
TEST_F(ProcessMemoryTest, FindsTheLimitInAContainer) {
  Put("/proc/self/cgroup", "0::/\n");
  Put("/sys/fs/cgroup/memory.max", "3000\n");
  EXPECT_EQ(Usable(), 3000u);
  Put("/proc/self/cgroup", "5:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n0::/elsewhere\n");
  std::filesystem::remove(root_ + "/sys/fs/cgroup/memory.max");
  Put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "2000\n");
  EXPECT_EQ(Usable(), 2000u);
}

// Scenario: GOMEMLIMIT without a cgroup's limit, more than the machine has, and with a limit above and below it.
// Guarantees: it counts only where no cgroup says anything, and never raises.
TEST_F(ProcessMemoryTest, TakesAHintWhereThereIsNoLimit) {
  EXPECT_EQ(Usable(5'000), 5'000u);
  EXPECT_EQ(FindUsableMemory(5'000, root_)->source, "GOMEMLIMIT");
  EXPECT_EQ(Usable(2u << 20), 1u << 20);
  EXPECT_EQ(FindUsableMemory(2u << 20, root_)->source, "memory of the machine");
  Put("/proc/self/cgroup", "0::/\n");
  for (const char* limit : {"10000", "4000"}) {
    Put("/sys/fs/cgroup/memory.max", limit);
    EXPECT_EQ(std::to_string(Usable(8'000)), limit);
    EXPECT_EQ(FindUsableMemory(8'000, root_)->source, "memory limit of the cgroup");
  }
}

TEST_F(ProcessMemoryTest, FailsWhereNothingIsSaid) {
  std::filesystem::remove_all(root_);
  EXPECT_EQ(FindUsableMemory({}, root_).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ResidentBytes(root_), std::nullopt);
}

TEST_F(ProcessMemoryTest, ReadsResidentPages) {
  Put("/proc/self/statm", "765 437 408 5 0 123 0\n");
  EXPECT_EQ(ResidentBytes(root_), 437 * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
  EXPECT_GT(*ResidentBytes(), 1u << 20);
  EXPECT_GT(FindUsableMemory()->bytes, *ResidentBytes());
}

// Bytes in memory that are a file's (/proc/self/statm, "shared").
uint64_t ResidentFileBytes() {
  std::ifstream file("/proc/self/statm");
  uint64_t size = 0;
  uint64_t resident = 0;
  uint64_t shared = 0;
  file >> size >> resident >> shared;
  return shared * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

// Guarantees: most of the program leaves memory, and all of it still runs.
TEST(ProgramPages, AreGivenBack) {
  static int written = 1;
  written = 2;
  const uint64_t before = ResidentFileBytes();
  GiveBackProgramPages();
  EXPECT_LT(ResidentFileBytes(), before / 2);
  EXPECT_EQ(written, 2);
  EXPECT_EQ(std::to_string(12'345), "12345");
}

}  // namespace
}  // namespace spanloom
