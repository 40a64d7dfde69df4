// SPDX-License-Identifier: Apache-2.0
//
// `spanloom store flush` and `compact`: what a store does by itself, now. A running server is asked to; a store that
// nobody has is opened for it.

#pragma once

#include <string>

#include "base/status.h"
#include "cli/store/terminal.h"

namespace spanloom::cli::store {

// Puts everything that is acknowledged into segments, so that the log is empty. Errors: those of AskServer, OwnStore
// and ColumnarStore::Flush.
[[nodiscard]] Status RunFlush(const std::string& directory, const Terminal& terminal);

// The same, and merges segments until none is to be merged. Errors: those of AskServer, OwnStore and
// ColumnarStore::Compact.
[[nodiscard]] Status RunCompact(const std::string& directory, const Terminal& terminal);

}  // namespace spanloom::cli::store
