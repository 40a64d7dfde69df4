// SPDX-License-Identifier: Apache-2.0

#include "base/process_cores.h"

#include <sched.h>

#include <cmath>
#include <fstream>

#include "base/cgroup.h"
#include "base/go_limits.h"
#include "base/text.h"

namespace spanloom {
namespace {

// The first two numbers of one file, or the first of each of two. nullopt if they are no quota ("max", -1).
std::optional<double> QuotaOf(std::istream& quota_file, std::istream& period_file) {
  double quota_us = 0;
  double period_us = 0;
  if (!(quota_file >> quota_us) || !(period_file >> period_us) || quota_us <= 0 || period_us <= 0) return std::nullopt;
  return quota_us / period_us;
}

void Lower(const std::optional<double>& quota, std::optional<double>& lowest) {
  if (quota && (!lowest || *quota < *lowest)) lowest = quota;
}

size_t AllowedCores() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return 1;
  return static_cast<size_t>(CPU_COUNT(&allowed));
}

}  // namespace

std::optional<double> CpuQuotaCores(const std::string& root) {
  const CgroupDirectories groups = FindCgroups("cpu", root);
  std::optional<double> lowest;
  for (const std::string& group : groups.version_2) {
    std::ifstream file(StrCat(group, "/cpu.max"));
    Lower(QuotaOf(file, file), lowest);
  }
  for (const std::string& group : groups.version_1) {
    std::ifstream quota(StrCat(group, "/cpu.cfs_quota_us"));
    std::ifstream period(StrCat(group, "/cpu.cfs_period_us"));
    Lower(QuotaOf(quota, period), lowest);
  }
  return lowest;
}

UsableCores FindUsableCores() {
  UsableCores usable{.count = AllowedCores(), .source = "cores"};
  const auto lower = [&](size_t count, std::string_view source) {
    if (count < usable.count) usable = {.count = count, .source = source};
  };
  if (const auto quota = CpuQuotaCores()) lower(static_cast<size_t>(std::ceil(*quota)), "cpu quota of the cgroup");
  if (const auto cores = ReadGoLimits().cores) lower(*cores, "GOMAXPROCS");
  return usable;
}

}  // namespace spanloom
