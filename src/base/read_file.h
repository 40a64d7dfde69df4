// SPDX-License-Identifier: Apache-2.0
//
// A whole file, for those that are small: configuration, certificates, values of charts.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/status.h"

namespace spanloom {

// Its bytes, `bytes_max` at most: kOutOfRange if there are more, of which no more are read. An error's message is the
// system's reason alone ("Is a directory"): who calls says which file, and what for.
[[nodiscard]] StatusOr<std::string> ReadFile(const std::string& path, size_t bytes_max = SIZE_MAX);

}  // namespace spanloom
