// SPDX-License-Identifier: Apache-2.0
//
// A copy of a store that is a store itself, made while its owner goes on.

#pragma once

#include <absl/functional/function_ref.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "store/columnar/inspect/store_files.h"
#include "store/disk/disk.h"

namespace spanloom::store::columnar {

struct BackupReport {
  uint64_t segments = 0;
  uint64_t linked_bytes = 0;         // of segments that share their bytes with the original: files never change
  uint64_t copied_bytes = 0;         // the rest: log, catalogue, segments in another file system
  std::vector<std::string> missing;  // paths of segments that the catalogue names and that are not there
};

// Makes `target`, which must not exist and whose parent must, into a store with everything that `files` have. All of
// it is on the device when this returns. Calls `on_segment` after each, whose error ends it. Errors:
// kAlreadyExists, those of the disk; then what is in `target` is no store, and may be removed.
[[nodiscard]] StatusOr<BackupReport> BackUp(const StoreFiles& files, disk::Disk& disk, const std::string& target,
                                            absl::FunctionRef<Status()> on_segment);

}  // namespace spanloom::store::columnar
