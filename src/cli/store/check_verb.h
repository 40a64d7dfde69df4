// SPDX-License-Identifier: Apache-2.0
//
// `spanloom store check`: whether a store is whole.

#pragma once

#include <string>

#include "base/status.h"
#include "cli/store/terminal.h"

namespace spanloom::cli::store {

// Reads everything, beside a running server or not, and prints what is wrong, a line a file, and what is there. True if
// nothing is wrong. Errors: those of StoreFiles::Open and CheckStore.
[[nodiscard]] StatusOr<bool> RunCheck(const std::string& directory, const Terminal& terminal);

}  // namespace spanloom::cli::store
