// SPDX-License-Identifier: Apache-2.0

#include "base/process_cores.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace spanloom {
namespace {

class ProcessCoresTest : public testing::Test {
 protected:
  ProcessCoresTest() : root_(testing::TempDir() + "process_cores_" + std::to_string(getpid())) {
    std::filesystem::remove_all(root_);
  }
  ~ProcessCoresTest() override { std::filesystem::remove_all(root_); }

  void Put(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }

  const std::string root_;
};

TEST_F(ProcessCoresTest, WithoutACgroupThereIsNoQuota) {
  EXPECT_EQ(CpuQuotaCores(root_), std::nullopt);
}

// Scenario: version 2 without a quota in the group, with one above it, and with a lower one in the group.
// Guarantees: the lowest counts.
TEST_F(ProcessCoresTest, QuotaIsTheLowestOfVersion2) {
  Put("/proc/self/cgroup", "0::/pods/one\n");
  Put("/sys/fs/cgroup/pods/one/cpu.max", "max 100000\n");
  EXPECT_EQ(CpuQuotaCores(root_), std::nullopt);
  Put("/sys/fs/cgroup/pods/cpu.max", "250000 100000\n");
  EXPECT_EQ(CpuQuotaCores(root_), 2.5);
  Put("/sys/fs/cgroup/pods/one/cpu.max", "50000 100000\n");
  EXPECT_EQ(CpuQuotaCores(root_), 0.5);
}

// Scenario: version 1, in a container that sees its own group as the root, without a quota and with one.
// Guarantees: -1 is none; else it is read.
TEST_F(ProcessCoresTest, QuotaOfVersion1) {
  Put("/proc/self/cgroup", "5:cpu,cpuacct:/docker/x\n0::/\n");
  Put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  Put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(CpuQuotaCores(root_), std::nullopt);
  Put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n");
  EXPECT_EQ(CpuQuotaCores(root_), 1.5);
}

// Scenario: GOMAXPROCS of 1, and of more than any machine has.
// Guarantees: it bounds, and does not raise.
TEST(UsableCores, AreBoundedByGomaxprocs) {
  unsetenv("GOMAXPROCS");
  const size_t all = FindUsableCores().count;
  ASSERT_GE(all, 1u);
  setenv("GOMAXPROCS", "1", 1);
  EXPECT_EQ(FindUsableCores().count, 1u);
  EXPECT_EQ(FindUsableCores().source, all > 1 ? "GOMAXPROCS" : "cores");
  setenv("GOMAXPROCS", "100000", 1);
  EXPECT_EQ(FindUsableCores().count, all);
  unsetenv("GOMAXPROCS");
}

}  // namespace
}  // namespace spanloom
