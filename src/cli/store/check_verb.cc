// SPDX-License-Identifier: Apache-2.0

#include "cli/store/check_verb.h"

#include <optional>

#include "base/text.h"
#include "cli/console/text_format.h"
#include "cli/store/count_progress.h"
#include "store/columnar/inspect/store_check.h"
#include "store/disk/posix_disk.h"

namespace spanloom::cli::store {
namespace {

using spanloom::store::columnar::CheckReport;
using spanloom::store::columnar::CheckStore;
using spanloom::store::columnar::Finding;
using spanloom::store::columnar::StoreFiles;

std::string Describe(const CheckReport& report) {
  using console::CountOf;
  using console::FormatBytes;
  using console::Grouped;
  std::string text;
  for (const Finding& finding : report.findings) StrAppend(text, finding.file, ": ", finding.what, "\n");
  for (const Finding& damaged : report.damaged_requests) {
    StrAppend(text, damaged.file, ": ", damaged.what, "; `serve` derives them again, nothing is lost\n");
  }
  StrAppend(text, "segments: ", Grouped(report.segments), " whole, ", CountOf(report.spans, "span"), " of ",
            CountOf(report.traces, "trace"), ", ", FormatBytes(report.bytes), "\n");
  StrAppend(text, "request rows: ", Grouped(report.request_rows), "\n");
  StrAppend(text, "log: ", CountOf(report.log_spans, "span"), " in ", CountOf(report.log.frames, "frame"),
            ", in no segment yet\n");
  if (report.log.tail_bytes > 0) {
    StrAppend(text, "log: ", FormatBytes(report.log.tail_bytes), " were not written to their end, nor acknowledged\n");
  }
  if (report.findings.empty()) return StrCat(text, "nothing is wrong\n");
  return StrCat(text, CountOf(report.findings.size(), "finding"),
                ": `serve` leaves out what can't be read, and says so; ",
                "restore the files from a backup to have it back\n");
}

uint64_t SpansOf(const StoreFiles& files) {
  uint64_t spans = 0;
  for (const auto& segment : files.segments()) spans += segment.row.spans;
  return spans;
}

}  // namespace

StatusOr<bool> RunCheck(const std::string& directory, const Terminal& terminal) {
  spanloom::store::disk::PosixDisk disk;
  ASSIGN_OR_RETURN(StoreFiles files, StoreFiles::Open(disk, directory, terminal.clock));
  std::optional<CountProgress> progress(std::in_place, "spans", SpansOf(files), terminal);
  const StatusOr<CheckReport> report = CheckStore(files, [&](uint64_t spans) -> Status {
    progress->Add(spans);
    return terminal.stop.stop_requested() ? absl::CancelledError("interrupted") : absl::OkStatus();
  });
  progress.reset();
  RETURN_IF_ERROR(report.status());
  terminal.out << Describe(*report);
  return report->findings.empty();
}

}  // namespace spanloom::cli::store
