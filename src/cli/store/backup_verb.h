// SPDX-License-Identifier: Apache-2.0
//
// `spanloom store backup`: a second store with all that a store has at this moment.

#pragma once

#include <string>

#include "base/status.h"
#include "cli/store/terminal.h"

namespace spanloom::cli::store {

// Makes `target` a store, beside a running server or not, and prints what it took. Returns false if a segment was
// missing, which is named on the error stream. Errors: those of StoreFiles::Open and BackUp; then nothing is left of
// `target`, unless it was there before.
[[nodiscard]] StatusOr<bool> RunBackup(const std::string& directory, const std::string& target,
                                       const Terminal& terminal);

}  // namespace spanloom::cli::store
