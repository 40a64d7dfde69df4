// SPDX-License-Identifier: Apache-2.0
//
// How much memory this process has, and may have, as Linux says it in its file systems.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/status.h"

namespace spanloom::pipeline {

// Bytes of this process that are in memory (/proc/self/statm, "resident"). nullopt if that cannot be read. `root` is
// where /proc lies; "" but in tests.
[[nodiscard]] std::optional<uint64_t> ResidentBytes(const std::string& root = "");

// Bytes that this process may have: the lowest limit of its cgroup and of those above it (memory.max of version 2,
// memory.limit_in_bytes of version 1), at most what the machine has. kUnavailable if not even that can be read.
[[nodiscard]] StatusOr<uint64_t> UsableMemoryBytes(const std::string& root = "");

}  // namespace spanloom::pipeline
