// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/inspect/backup.h"

#include <filesystem>
#include <memory>
#include <string_view>

#include "base/text.h"
#include "store/columnar/parts/directory_layout.h"

namespace spanloom::store::columnar {
namespace {

// Copies a file that is open. Returns its bytes.
StatusOr<uint64_t> Copy(const disk::File& file, disk::Disk& disk, const std::string& target) {
  ASSIGN_OR_RETURN(const auto copy, disk.Open(target, disk::OpenMode::kCreateExclusive));
  ASSIGN_OR_RETURN(const uint64_t bytes, disk::AppendAll(file, *copy));
  RETURN_IF_ERROR(copy->Sync());
  return bytes;
}

Status MakeRooms(disk::Disk& disk, const std::string& target) {
  ASSIGN_OR_RETURN(const bool exists, disk.Exists(target));
  if (exists) {
    return absl::AlreadyExistsError(StrCat(target, " exists already; a backup makes a directory of its own"));
  }
  RETURN_IF_ERROR(disk.CreateDirectory(target));
  for (const std::string_view room : {kSegmentDirectory, kLogDirectory}) {
    RETURN_IF_ERROR(disk.CreateDirectory(disk::Join(target, room)));
  }
  return absl::OkStatus();
}

// A link where one can be made: not in another file system, nor of a file that was merged away meanwhile.
Status AddSegment(const SegmentFile& segment, disk::Disk& disk, const std::string& directory, BackupReport& report) {
  if (absl::IsNotFound(segment.file.status())) {
    report.missing.push_back(segment.path);
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(segment.file.status());
  const std::string target = disk::Join(directory, segment.row.file);
  ++report.segments;
  if (disk.Link(segment.path, target).ok()) {
    report.linked_bytes += segment.row.bytes;
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const uint64_t bytes, Copy(**segment.file, disk, target));
  report.copied_bytes += bytes;
  return absl::OkStatus();
}

}  // namespace

// The catalogue comes last: without it, nothing takes the directory for a store.
StatusOr<BackupReport> BackUp(const StoreFiles& files, disk::Disk& disk, const std::string& target,
                              absl::FunctionRef<Status()> on_segment) {
  RETURN_IF_ERROR(MakeRooms(disk, target));
  BackupReport report;
  const std::string segments = disk::Join(target, kSegmentDirectory);
  for (const SegmentFile& segment : files.segments()) {
    RETURN_IF_ERROR(AddSegment(segment, disk, segments, report));
    RETURN_IF_ERROR(on_segment());
  }
  RETURN_IF_ERROR(disk.SyncDirectory(segments));
  const std::string log = disk::Join(target, kLogDirectory);
  for (const log::LogFiles::Entry& entry : files.log().entries()) {
    const std::string name = std::filesystem::path(entry.path).filename().string();
    ASSIGN_OR_RETURN(const uint64_t bytes, Copy(*entry.file, disk, disk::Join(log, name)));
    report.copied_bytes += bytes;
  }
  RETURN_IF_ERROR(disk.SyncDirectory(log));
  const std::string catalogue = disk::Join(target, catalogue::kCatalogueFileName);
  RETURN_IF_ERROR(files.catalogue().CopyTo(catalogue));
  ASSIGN_OR_RETURN(const auto copy, disk.Open(catalogue, disk::OpenMode::kRead));
  ASSIGN_OR_RETURN(const uint64_t bytes, copy->Size());
  report.copied_bytes += bytes;
  RETURN_IF_ERROR(disk.SyncDirectory(target));
  RETURN_IF_ERROR(disk.SyncDirectory(disk::DirectoryOf(target)));
  return report;
}

}  // namespace spanloom::store::columnar
