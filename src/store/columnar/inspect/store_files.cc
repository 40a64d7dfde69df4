// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/inspect/store_files.h"

#include <optional>
#include <utility>

#include "base/text.h"
#include "store/columnar/parts/directory_layout.h"
#include "store/columnar/requests/request_file.h"
#include "store/data_dir.h"

namespace spanloom::store::columnar {
namespace {

using catalogue::CatalogueCopy;

constexpr int kAttemptsMax = 50;  // each takes as long as opening all files; flushes and merges are seconds apart

std::vector<SegmentFile> OpenSegments(disk::Disk& disk, const std::string& directory,
                                      const catalogue::Catalogue& catalogue) {
  std::vector<SegmentFile> segments;
  for (const catalogue::SegmentRow& row : catalogue.ByArrival()) {
    std::string path = disk::Join(disk::Join(directory, kSegmentDirectory), row.file);
    StatusOr<std::unique_ptr<disk::File>> file = disk.Open(path, disk::OpenMode::kRead);
    std::string requests_path = disk::Join(disk::Join(directory, kSegmentDirectory), RequestFileName(row.id));
    auto requests = disk.Open(requests_path, disk::OpenMode::kRead);
    segments.push_back({.row = row,
                        .path = std::move(path),
                        .file = std::move(file),
                        .requests_path = std::move(requests_path),
                        .requests = requests.ok() ? *std::move(requests) : nullptr});
  }
  return segments;
}

bool SayTheSame(const catalogue::Catalogue& a, const catalogue::Catalogue& b) {
  return a.log_position() == b.log_position() && a.segments() == b.segments();
}

}  // namespace

// What the catalogue says is true of files that were opened before it is asked again and says the same: its owner
// removes a segment, or files of the log, only after a transaction that says so.
StatusOr<StoreFiles> StoreFiles::Open(disk::Disk& disk, const std::string& directory, const Clock& clock) {
  ASSIGN_OR_RETURN(const std::optional<std::string> process, DataDir::OwnerOf(directory));
  const auto owner = process ? CatalogueCopy::Owner::kRunning : CatalogueCopy::Owner::kNone;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    ASSIGN_OR_RETURN(CatalogueCopy catalogue, CatalogueCopy::Take(disk, directory, owner, clock));
    std::vector<SegmentFile> segments = OpenSegments(disk, directory, catalogue.catalogue());
    StatusOr<log::LogFiles> log = log::LogFiles::Open(disk, disk::Join(directory, kLogDirectory));
    if (!log.ok() && !absl::IsNotFound(log.status())) return log.status();
    ASSIGN_OR_RETURN(const CatalogueCopy now, CatalogueCopy::Take(disk, directory, owner, clock));
    if (log.ok() && SayTheSame(catalogue.catalogue(), now.catalogue())) {
      return StoreFiles(directory, std::move(catalogue), std::move(segments), *std::move(log));
    }
  }
  return absl::UnavailableError(StrCat(directory, " changes too quickly to be read as a whole; try again"));
}

}  // namespace spanloom::store::columnar
