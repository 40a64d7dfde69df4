// SPDX-License-Identifier: Apache-2.0
//
// Whether a store's directory is whole: every file is read, every checksum verified.

#pragma once

#include <absl/functional/function_ref.h>

#include <cstdint>
#include <string>
#include <vector>

#include "store/columnar/inspect/store_files.h"
#include "store/log/log_reader.h"

namespace spanloom::store::columnar {

// A file that is not what was written, or not there.
struct Finding {
  std::string file;  // path
  std::string what;  // is wrong with it first
};

struct CheckReport {
  uint64_t segments = 0;  // that are whole, as all that follows
  uint64_t traces = 0;
  uint64_t spans = 0;
  uint64_t bytes = 0;
  log::RecoveryReport log;  // of frames that are in no segment
  uint64_t log_spans = 0;   // in these
  std::vector<Finding> findings;
  // Request rows beside segments that are whole. Those that are damaged are no findings: they are derived again.
  uint64_t request_rows = 0;
  std::vector<Finding> damaged_requests;
};

// Reads everything; a damaged file does not keep the others from being read. Takes the segment files out of `files`.
// Calls `on_spans` now and then with how many more spans were read; its error ends the check. Errors: those of the
// disk, but for a file that can't be opened, which is a finding.
[[nodiscard]] StatusOr<CheckReport> CheckStore(StoreFiles& files, absl::FunctionRef<Status(uint64_t spans)> on_spans);

}  // namespace spanloom::store::columnar
