// SPDX-License-Identifier: Apache-2.0
//
// `spanloom store flush`, `compact` and `purge`: what a store does by itself, now, and what it never does by itself. A
// running server is asked to; a store that nobody has is opened for it.

#pragma once

#include <string>

#include "base/status.h"
#include "cli/store/purge_selection.h"
#include "cli/store/terminal.h"

namespace spanloom::cli::store {

// Puts everything that is acknowledged into segments, so that the log is empty. Errors: those of AskServer, OwnStore
// and ColumnarStore::Flush.
[[nodiscard]] Status RunFlush(const std::string& directory, const Terminal& terminal);

// The same, and merges segments until none is to be merged. Errors: those of AskServer, OwnStore and
// ColumnarStore::Compact.
[[nodiscard]] Status RunCompact(const std::string& directory, const Terminal& terminal);

// Removes spans for good. Errors: kInvalidArgument (every span is meant), those of AskServer, OwnStore and
// ColumnarStore::Purge.
[[nodiscard]] Status RunPurge(const std::string& directory, const PurgeSelection& selection, const Terminal& terminal);

// What was removed, in words.
[[nodiscard]] std::string DescribeRemoved(const spanloom::store::Removed& removed);

}  // namespace spanloom::cli::store
