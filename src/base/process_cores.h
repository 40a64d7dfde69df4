// SPDX-License-Identifier: Apache-2.0
//
// How many cores this process may keep busy, as Linux and its environment say it.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace spanloom {

struct UsableCores {
  size_t count = 1;              // at least 1
  std::string_view source = {};  // whose limit that is: "cores", "cpu quota of the cgroup", "GOMAXPROCS"
};

// CPU time that the cgroups of the process allow it, in cores, or 1.5 cores and the like: the lowest quota of its group
// and of those above it (cpu.max of version 2, cpu.cfs_quota_us of version 1). nullopt if there is none. `root` is
// where /proc and /sys lie; "" but in tests.
[[nodiscard]] std::optional<double> CpuQuotaCores(const std::string& root = "");

// The cores that the process may run on (its affinity), at most the quota, rounded up, and at most GOMAXPROCS.
[[nodiscard]] UsableCores FindUsableCores();

}  // namespace spanloom
