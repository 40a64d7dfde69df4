// SPDX-License-Identifier: Apache-2.0
//
// The cgroups that this process is in, of version 2 and of version 1, as Linux shows them below /proc and /sys.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace spanloom {

// Directories with a controller's files: its own group first, then those above it, as far as a container sees them. A
// machine may have both versions; a directory that is named need not be there.
struct CgroupDirectories {
  std::vector<std::string> version_2 = {};
  std::vector<std::string> version_1 = {};
};

// Those of `controller` ("memory", "cpu"). `root` is where /proc and /sys lie; "" but in tests.
[[nodiscard]] CgroupDirectories FindCgroups(std::string_view controller, const std::string& root = "");

}  // namespace spanloom
