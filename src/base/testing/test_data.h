// SPDX-License-Identifier: Apache-2.0
//
// For tests: where the inputs that are kept with the sources are.

#pragma once

#include <filesystem>

namespace spanloom {

// The folder tests/data of the sources. The path is known to one object file alone, so that all others are the same
// in every clone and a compiler cache can share them.
[[nodiscard]] std::filesystem::path TestData();

}  // namespace spanloom
