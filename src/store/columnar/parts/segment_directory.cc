// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/parts/segment_directory.h"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace spanloom::store::columnar {
namespace {

constexpr std::string_view kUnfinished = ".tmp";

std::string FileNameOf(uint64_t id) {
  return absl::StrFormat("%016x.seg", id);
}

}  // namespace

bool SegmentDirectory::IsKnown(uint64_t id) const {
  return std::ranges::binary_search(catalogue_.segments(), id, {}, &catalogue::SegmentRow::id);
}

Status SegmentDirectory::Settle() {
  if (is_settled_) return absl::OkStatus();
  RETURN_IF_ERROR(catalogue_.Reload());
  is_settled_ = true;
  return absl::OkStatus();
}

Status SegmentDirectory::Commit(const catalogue::Change& change) {
  RETURN_IF_ERROR(Settle());
  const Status status = catalogue_.Commit(change);
  if (status.ok() || absl::IsInvalidArgument(status) || absl::IsAlreadyExists(status) || absl::IsNotFound(status)) {
    return status;
  }
  is_settled_ = false;
  RETURN_IF_ERROR(Settle());
  const auto is_known = [this](uint64_t id) { return IsKnown(id); };
  const bool is_done = std::ranges::all_of(change.added, [&](const auto& added) { return is_known(added.row.id); }) &&
                       std::ranges::none_of(change.removed, is_known);
  return is_done ? absl::OkStatus() : status;
}

StatusOr<SegmentTotals> SegmentDirectory::WriteContent(const std::string& path,
                                                       absl::FunctionRef<Status(SegmentBuilder&)> add) {
  ASSIGN_OR_RETURN(const std::unique_ptr<disk::File> file, disk_.Open(path, disk::OpenMode::kCreateExclusive));
  SegmentBuilder builder(*file);
  RETURN_IF_ERROR(add(builder));
  ASSIGN_OR_RETURN(const SegmentTotals totals, builder.Finish());
  RETURN_IF_ERROR(file->Sync());
  return totals;
}

StatusOr<std::shared_ptr<const Segment>> SegmentDirectory::WriteAndOpen(
    const SegmentPosition& position, const std::string& name, absl::FunctionRef<Status(SegmentBuilder&)> add) {
  const std::string unfinished = StrCat(PathOf(name), kUnfinished);
  ASSIGN_OR_RETURN(const SegmentTotals totals, WriteContent(unfinished, add));
  RETURN_IF_ERROR(disk_.Rename(unfinished, PathOf(name)));
  RETURN_IF_ERROR(disk_.SyncDirectory(directory_));
  ASSIGN_OR_RETURN(std::unique_ptr<disk::File> file, disk_.Open(PathOf(name), disk::OpenMode::kRead));
  ASSIGN_OR_RETURN(const uint64_t bytes, file->Size());
  const catalogue::SegmentRow row = {.id = position.id,
                                     .file = name,
                                     .format_version = kSegmentVersion,
                                     .level = position.level,
                                     .arrival = position.arrival,
                                     .bytes = bytes,
                                     .spans = totals.spans,
                                     .traces = totals.traces,
                                     .first_start_unix_ns = totals.first_start_unix_ns,
                                     .last_start_unix_ns = totals.last_start_unix_ns,
                                     .created_unix_ns = static_cast<uint64_t>(clock_.UnixNs())};
  ASSIGN_OR_RETURN(std::shared_ptr<const SegmentReader> reader, SegmentReader::Open(std::move(file)));
  return std::make_shared<const Segment>(row, std::move(reader));
}

StatusOr<std::shared_ptr<const Segment>> SegmentDirectory::WriteFile(const SegmentPosition& position,
                                                                     absl::FunctionRef<Status(SegmentBuilder&)> add) {
  const std::string name = FileNameOf(position.id);
  StatusOr<std::shared_ptr<const Segment>> segment = WriteAndOpen(position, name, add);
  if (segment.ok()) return segment;
  for (const std::string& left : {name, StrCat(name, kUnfinished)}) disk_.Remove(PathOf(left)).IgnoreError();
  return segment;
}

void SegmentDirectory::RemoveFile(const catalogue::SegmentRow& row) {
  disk_.Remove(PathOf(row.file)).IgnoreError();
  disk_.Remove(PathOf(RequestFileName(row.id))).IgnoreError();  // most often there is one
}

Status SegmentDirectory::Remove(const Segment& segment) {
  RETURN_IF_ERROR(Commit({.added = {}, .removed = {segment.row().id}, .log_position = std::nullopt}));
  disk_.Remove(PathOf(RequestFileName(segment.row().id))).IgnoreError();
  return disk_.Remove(PathOf(segment.row().file));
}

// The new name is safe before the catalogue forgets the old one.
StatusOr<std::string> SegmentDirectory::SetAside(const catalogue::SegmentRow& row, const std::string& directory) {
  const std::string aside = disk::Join(directory, row.file);
  RETURN_IF_ERROR(disk_.CreateDirectory(directory));
  // A name that is taken is from an earlier start: names of segments are not used twice.
  const Status linked = disk_.Link(PathOf(row.file), aside);
  if (!absl::IsAlreadyExists(linked)) RETURN_IF_ERROR(linked);
  RETURN_IF_ERROR(disk_.SyncDirectory(directory));
  RETURN_IF_ERROR(disk_.SyncDirectory(disk::DirectoryOf(directory)));
  RETURN_IF_ERROR(Commit({.added = {}, .removed = {row.id}, .log_position = std::nullopt}));
  RemoveFile(row);
  return aside;
}

StatusOr<std::shared_ptr<const Segment>> SegmentDirectory::Open(const catalogue::SegmentRow& row) {
  ASSIGN_OR_RETURN(std::unique_ptr<disk::File> file, disk_.Open(PathOf(row.file), disk::OpenMode::kRead));
  StatusOr<std::shared_ptr<const SegmentReader>> reader = SegmentReader::Open(std::move(file));
  if (!reader.ok()) return Annotate(reader.status(), PathOf(row.file));
  const SegmentTotals& totals = (*reader)->index().totals();
  if (totals.traces != row.traces || totals.spans != row.spans) {
    return absl::DataLossError(StrCat(PathOf(row.file), " is not the segment that the catalogue knows"));
  }
  return std::make_shared<const Segment>(row, *std::move(reader));
}

Status SegmentDirectory::RemoveLeftovers() {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, disk_.List(directory_));
  for (const std::string& name : names) {
    const bool is_known = std::ranges::any_of(
        catalogue_.segments(), [&](const auto& row) { return row.file == name || RequestFileName(row.id) == name; });
    if (!is_known) RETURN_IF_ERROR(disk_.Remove(PathOf(name)));
  }
  return absl::OkStatus();
}

}  // namespace spanloom::store::columnar
