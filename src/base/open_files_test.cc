// SPDX-License-Identifier: Apache-2.0

#include "base/open_files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace spanloom {
namespace {

// Scenario: a process whose soft limit is below the hard one, as in most shells.
// Guarantees: it may open as many files as the hard limit allows, and is told how many.
TEST(OpenFiles, AreAsManyAsTheHardLimitAllows) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{64, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(RaiseOpenFilesLimit(), before.rlim_max);
  rlimit after{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace
}  // namespace spanloom
