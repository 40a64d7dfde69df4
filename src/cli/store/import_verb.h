// SPDX-License-Identifier: Apache-2.0
//
// `spanloom store import`: files of OTLP requests into a store that no server has.

#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "cli/store/terminal.h"

namespace spanloom::cli::store {

struct ImportOptions {
  std::string directory;           // created if it is not there
  std::vector<std::string> files;  // "-": standard input
};

// Stores what the files have (otlp_file.h says which); spans that are stored already are not stored again, so that an
// import that was cut short can be repeated. Puts all of it into segments and merges them. Returns false if something
// was refused, which is said on the error stream with its place; the rest is stored. Errors: kFailedPrecondition (a
// process has the directory), those of ColumnarStore::Open, kNotFound (a file), kDataLoss (a file is cut short, or none
// of these; what came before is stored), kCancelled.
[[nodiscard]] StatusOr<bool> RunImport(const ImportOptions& options, const Terminal& terminal);

}  // namespace spanloom::cli::store
