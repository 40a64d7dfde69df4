// SPDX-License-Identifier: Apache-2.0
//
// GOMEMLIMIT and GOMAXPROCS: how a deployment of the Collector tells a Go process what it may have. There is no Go
// runtime here; they are taken as hints of the same meaning.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace spanloom {

struct GoLimits {
  std::optional<uint64_t> memory_bytes = {};  // GOMEMLIMIT; nullopt if it is not set, or "off"
  std::optional<size_t> cores = {};           // GOMAXPROCS, at least 1
  std::vector<std::string> warnings = {};     // a sentence for each variable that is not understood
};

// By the variables' texts; nullptr or "" is one that is not set. GOMEMLIMIT as Go reads it: a whole number of bytes,
// with B, KiB, MiB, GiB or TiB behind it if they are more than one, or "off".
[[nodiscard]] GoLimits ParseGoLimits(const char* memory_limit, const char* max_procs);

// Of this process's environment.
[[nodiscard]] GoLimits ReadGoLimits();

}  // namespace spanloom
