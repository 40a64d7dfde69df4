// SPDX-License-Identifier: Apache-2.0
//
// A whole file, for those that are small: configuration, certificates, values of charts.

#pragma once

#include <string>

#include "base/status.h"

namespace spanloom {

// Its bytes. An error's message is the system's reason alone ("Is a directory"): who calls says which file, and what
// for.
[[nodiscard]] StatusOr<std::string> ReadFile(const std::string& path);

}  // namespace spanloom
