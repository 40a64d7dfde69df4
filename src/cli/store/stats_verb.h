// SPDX-License-Identifier: Apache-2.0
//
// `spanloom store stats`: what a store holds, and what its bytes are spent on.

#pragma once

#include <string>

#include "base/status.h"
#include "cli/store/terminal.h"

namespace spanloom::cli::store {

struct StatsOptions {
  std::string directory;
  bool is_json = false;
  size_t columns_max = 25;  // of attributes, the most costly first; 0: all
};

// Reads the catalogue and the index of every segment, no span; beside a running server or not. Errors: those of
// StoreFiles::Open and of the disk. A segment that can't be read is named on the error stream, and left out of the
// account.
[[nodiscard]] Status RunStats(const StatsOptions& options, const Terminal& terminal);

}  // namespace spanloom::cli::store
