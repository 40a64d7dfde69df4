// SPDX-License-Identifier: Apache-2.0

#include "cli/store/backup_verb.h"

#include <filesystem>
#include <optional>
#include <system_error>

#include "base/text.h"
#include "cli/console/text_format.h"
#include "cli/store/count_progress.h"
#include "store/columnar/inspect/backup.h"
#include "store/disk/posix_disk.h"

namespace spanloom::cli::store {

using spanloom::store::columnar::BackupReport;
using spanloom::store::columnar::StoreFiles;

StatusOr<bool> RunBackup(const std::string& directory, const std::string& target, const Terminal& terminal) {
  spanloom::store::disk::PosixDisk disk;
  ASSIGN_OR_RETURN(const StoreFiles files, StoreFiles::Open(disk, directory, terminal.clock));
  std::optional<CountProgress> progress(std::in_place, "segments", files.segments().size(), terminal);
  const StatusOr<BackupReport> report = spanloom::store::columnar::BackUp(files, disk, target, [&]() -> Status {
    progress->Add(1);
    return terminal.stop.stop_requested() ? absl::CancelledError("interrupted") : absl::OkStatus();
  });
  progress.reset();
  if (!report.ok() && !absl::IsAlreadyExists(report.status())) {
    std::error_code error;
    std::filesystem::remove_all(target, error);
  }
  RETURN_IF_ERROR(report.status());
  for (const std::string& missing : report->missing) terminal.err << "missing: " << missing << "\n";
  terminal.out << target << ": " << console::CountOf(report->segments, "segment") << ", "
               << console::FormatBytes(report->linked_bytes) << " shared with the original, "
               << console::FormatBytes(report->copied_bytes) << " copied\n";
  return report->missing.empty();
}

}  // namespace spanloom::cli::store
