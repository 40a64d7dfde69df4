// SPDX-License-Identifier: Apache-2.0

#include "cli/store/stats_verb.h"

#include "cli/store/store_summary.h"
#include "store/columnar/inspect/store_files.h"
#include "store/disk/posix_disk.h"

namespace spanloom::cli::store {

Status RunStats(const StatsOptions& options, const Terminal& terminal) {
  spanloom::store::disk::PosixDisk disk;
  ASSIGN_OR_RETURN(const auto files,
                   spanloom::store::columnar::StoreFiles::Open(disk, options.directory, terminal.clock));
  ASSIGN_OR_RETURN(const StoreSummary summary, SumUp(files));
  for (const std::string& unread : summary.unread) terminal.err << unread << "\n";
  if (options.is_json) {
    terminal.out << SummaryAsJson(summary) << "\n";
  } else {
    terminal.out << FormatSummary(summary, options.columns_max);
  }
  return absl::OkStatus();
}

}  // namespace spanloom::cli::store
