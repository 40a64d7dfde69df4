// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/process_memory.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string_view>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

// The first number of a file; kNoLimit if there is no file or it begins with something else ("max").
uint64_t ReadLimit(const std::string& path) {
  std::ifstream file(path);
  uint64_t limit = 0;
  return file >> limit ? limit : kNoLimit;
}

// The lowest limit in `group` and the groups above it. Those that a container does not see are not there.
uint64_t LowestLimit(const std::string& mount, std::string group, std::string_view file) {
  uint64_t lowest = kNoLimit;
  while (true) {
    lowest = std::min(lowest, ReadLimit(StrCat(mount, group, "/", file)));
    if (group.empty()) return lowest;
    group.erase(group.rfind('/'));
  }
}

bool NamesMemory(std::string_view controllers) {
  return StrCat(",", controllers, ",").find(",memory,") != std::string::npos;
}

// One line of /proc/self/cgroup: "0::/path" of version 2, "4:memory:/path" of version 1.
uint64_t LimitOfLine(const std::string& root, const std::string& line) {
  const size_t first = line.find(':');
  const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
  if (second == std::string::npos) return kNoLimit;
  std::string group = line.substr(second + 1);
  if (!group.starts_with('/')) return kNoLimit;
  if (group == "/") group.clear();
  const std::string controllers = line.substr(first + 1, second - first - 1);
  if (controllers.empty()) return LowestLimit(StrCat(root, "/sys/fs/cgroup"), group, "memory.max");
  if (!NamesMemory(controllers)) return kNoLimit;
  return LowestLimit(StrCat(root, "/sys/fs/cgroup/memory"), group, "memory.limit_in_bytes");
}

uint64_t CgroupLimit(const std::string& root) {
  std::ifstream groups(StrCat(root, "/proc/self/cgroup"));
  uint64_t limit = kNoLimit;
  for (std::string line; std::getline(groups, line);) limit = std::min(limit, LimitOfLine(root, line));
  return limit;
}

uint64_t MachineBytes(const std::string& root) {
  std::ifstream file(StrCat(root, "/proc/meminfo"));
  std::string name;
  uint64_t kibibytes = 0;
  if (!(file >> name >> kibibytes) || name != "MemTotal:") return kNoLimit;
  return kibibytes * 1024;
}

}  // namespace

std::optional<uint64_t> ResidentBytes(const std::string& root) {
  std::ifstream file(StrCat(root, "/proc/self/statm"));
  uint64_t size_pages = 0;
  uint64_t resident_pages = 0;
  if (!(file >> size_pages >> resident_pages)) return std::nullopt;
  return resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

StatusOr<uint64_t> UsableMemoryBytes(const std::string& root) {
  const uint64_t bytes = std::min(CgroupLimit(root), MachineBytes(root));
  if (bytes != kNoLimit) return bytes;
  return absl::UnavailableError("neither a cgroup nor /proc/meminfo says how much memory there is; set limit_mib");
}

}  // namespace spanloom::pipeline
