// SPDX-License-Identifier: Apache-2.0

#include "base/cgroup.h"

#include <fstream>

#include "base/text.h"

namespace spanloom {
namespace {

// `group` and those above it, "" for the topmost.
void AppendGroups(const std::string& mount, std::string group, std::vector<std::string>& directories) {
  while (true) {
    directories.push_back(StrCat(mount, group));
    if (group.empty()) return;
    group.erase(group.rfind('/'));
  }
}

// One line of /proc/self/cgroup: "0::/path" of version 2, "4:cpu,cpuacct:/path" of version 1.
void AppendLine(const std::string& root, const std::string& line, std::string_view controller,
                CgroupDirectories& directories) {
  const size_t first = line.find(':');
  const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
  if (second == std::string::npos) return;
  std::string group = line.substr(second + 1);
  if (!group.starts_with('/')) return;
  if (group == "/") group.clear();
  const std::string controllers = line.substr(first + 1, second - first - 1);
  const std::string mount = StrCat(root, "/sys/fs/cgroup");
  if (controllers.empty()) return AppendGroups(mount, std::move(group), directories.version_2);
  if (StrCat(",", controllers, ",").find(StrCat(",", controller, ",")) == std::string::npos) return;
  AppendGroups(StrCat(mount, "/", controller), std::move(group), directories.version_1);
}

}  // namespace

CgroupDirectories FindCgroups(std::string_view controller, const std::string& root) {
  std::ifstream groups(StrCat(root, "/proc/self/cgroup"));
  CgroupDirectories directories;
  for (std::string line; std::getline(groups, line);) AppendLine(root, line, controller, directories);
  return directories;
}

}  // namespace spanloom
