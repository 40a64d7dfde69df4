// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/flusher.h"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"

namespace spanloom::store::columnar {
namespace {

constexpr std::string_view kUnfinished = ".tmp";

std::string FileNameOf(uint64_t id) {
  return absl::StrFormat("%016x.seg", id);
}

struct HeadTrace {
  uint64_t start_unix_ns = 0;
  otlp::TraceId id;
  std::shared_ptr<const head::TraceSpans> spans;  // shared with the head
};

// In the order of a segment.
std::vector<HeadTrace> TracesOf(const head::LockedTable& head) {
  std::vector<HeadTrace> traces;
  {
    const MutexLock lock(head.mutex);
    traces.reserve(head.table.traces());
    for (const head::StoredTrace* const trace : head.table.by_arrival()) {
      traces.push_back({.start_unix_ns = trace->starts.earliest, .id = trace->id, .spans = trace->spans});
    }
  }
  std::ranges::sort(traces, [](const HeadTrace& a, const HeadTrace& b) {
    return std::pair(a.start_unix_ns, a.id) < std::pair(b.start_unix_ns, b.id);
  });
  return traces;
}

}  // namespace

StatusOr<SegmentTotals> Flusher::WriteTraces(const head::LockedTable& head, const std::string& path) {
  ASSIGN_OR_RETURN(const std::unique_ptr<disk::File> file, disk_.Open(path, disk::OpenMode::kCreateExclusive));
  const std::vector<HeadTrace> traces = TracesOf(head);  // outlives the builder
  SegmentBuilder builder(*file);
  std::vector<const StoredSpan*> spans;
  for (const HeadTrace& trace : traces) {
    spans.clear();
    trace.spans->ForEach([&](const StoredSpan& span) {
      spans.push_back(&span);
      return true;
    });
    builder.Add(trace.id, spans, spans.size());
  }
  ASSIGN_OR_RETURN(const SegmentTotals totals, builder.Finish());
  RETURN_IF_ERROR(file->Sync());
  return totals;
}

StatusOr<std::shared_ptr<const Segment>> Flusher::Write(const head::LockedTable& head, uint64_t log_position) {
  RETURN_IF_ERROR(Settle());
  if (written_ != nullptr && !IsKnown(written_->row().id)) RemoveUnknown(std::exchange(written_, nullptr)->row().file);
  if (written_ != nullptr) return std::exchange(written_, nullptr);
  const auto is_empty = [&] {
    const MutexLock lock(head.mutex);
    return head.table.spans() == 0;
  };
  if (is_empty()) {  // what it had was removed
    RETURN_IF_ERROR(Commit({.added = {}, .removed = {}, .log_position = log_position}));
    return nullptr;
  }
  const uint64_t id = catalogue_.NextSegmentId();
  StatusOr<std::shared_ptr<const Segment>> segment = WriteFile(head, id);
  if (!segment.ok()) {
    for (const std::string& name : {FileNameOf(id), StrCat(FileNameOf(id), kUnfinished)}) RemoveUnknown(name);
    return segment.status();
  }
  written_ = *std::move(segment);
  RETURN_IF_ERROR(
      Commit({.added = {{.row = written_->row(), .trace_filter = {}}}, .removed = {}, .log_position = log_position}));
  return std::exchange(written_, nullptr);
}

StatusOr<std::shared_ptr<const Segment>> Flusher::WriteFile(const head::LockedTable& head, uint64_t id) {
  const std::string name = FileNameOf(id);
  const std::string unfinished = StrCat(PathOf(name), kUnfinished);
  ASSIGN_OR_RETURN(const SegmentTotals totals, WriteTraces(head, unfinished));
  RETURN_IF_ERROR(disk_.Rename(unfinished, PathOf(name)));
  RETURN_IF_ERROR(disk_.SyncDirectory(directory_));
  ASSIGN_OR_RETURN(std::unique_ptr<disk::File> file, disk_.Open(PathOf(name), disk::OpenMode::kRead));
  ASSIGN_OR_RETURN(const uint64_t bytes, file->Size());
  const catalogue::SegmentRow row = {.id = id,
                                     .file = name,
                                     .format_version = kSegmentVersion,
                                     .level = 0,
                                     .bytes = bytes,
                                     .spans = totals.spans,
                                     .traces = totals.traces,
                                     .first_start_unix_ns = totals.first_start_unix_ns,
                                     .last_start_unix_ns = totals.last_start_unix_ns,
                                     .created_unix_ns = static_cast<uint64_t>(clock_.UnixNs())};
  ASSIGN_OR_RETURN(std::shared_ptr<const SegmentReader> reader, SegmentReader::Open(std::move(file)));
  return std::make_shared<const Segment>(row, std::move(reader));
}

Status Flusher::Settle() {
  if (!is_unsettled_) return absl::OkStatus();
  RETURN_IF_ERROR(catalogue_.Reload());
  is_unsettled_ = false;
  return absl::OkStatus();
}

bool Flusher::IsKnown(uint64_t id) const {
  return std::ranges::any_of(catalogue_.segments(), [&](const catalogue::SegmentRow& row) { return row.id == id; });
}

Status Flusher::Commit(const catalogue::Change& change) {
  RETURN_IF_ERROR(Settle());
  const Status status = catalogue_.Commit(change);
  if (status.ok() || absl::IsInvalidArgument(status) || absl::IsAlreadyExists(status) || absl::IsNotFound(status)) {
    return status;
  }
  is_unsettled_ = true;
  RETURN_IF_ERROR(Settle());
  const auto is_known = [this](uint64_t id) { return IsKnown(id); };
  const bool is_done = std::ranges::all_of(change.added, [&](const auto& added) { return is_known(added.row.id); }) &&
                       std::ranges::none_of(change.removed, is_known);
  return is_done ? absl::OkStatus() : status;
}

Status Flusher::Remove(const Segment& segment) {
  RETURN_IF_ERROR(Commit({.added = {}, .removed = {segment.row().id}, .log_position = std::nullopt}));
  return disk_.Remove(PathOf(segment.row().file));
}

// The new name is safe before the catalogue forgets the old one.
StatusOr<std::string> Flusher::SetAside(const catalogue::SegmentRow& row, const std::string& directory) {
  const std::string aside = disk::Join(directory, row.file);
  RETURN_IF_ERROR(disk_.CreateDirectory(directory));
  // A name that is taken is from an earlier start: names of segments are not used twice.
  const Status linked = disk_.Link(PathOf(row.file), aside);
  if (!absl::IsAlreadyExists(linked)) RETURN_IF_ERROR(linked);
  RETURN_IF_ERROR(disk_.SyncDirectory(directory));
  RETURN_IF_ERROR(disk_.SyncDirectory(disk::DirectoryOf(directory)));
  RETURN_IF_ERROR(Commit({.added = {}, .removed = {row.id}, .log_position = std::nullopt}));
  RemoveUnknown(row.file);
  return aside;
}

StatusOr<std::shared_ptr<const Segment>> Flusher::Open(const catalogue::SegmentRow& row) {
  ASSIGN_OR_RETURN(std::unique_ptr<disk::File> file, disk_.Open(PathOf(row.file), disk::OpenMode::kRead));
  StatusOr<std::shared_ptr<const SegmentReader>> reader = SegmentReader::Open(std::move(file));
  if (!reader.ok()) return Annotate(reader.status(), PathOf(row.file));
  const SegmentTotals& totals = (*reader)->index().totals();
  if (totals.traces != row.traces || totals.spans != row.spans) {
    return absl::DataLossError(StrCat(PathOf(row.file), " is not the segment that the catalogue knows"));
  }
  return std::make_shared<const Segment>(row, *std::move(reader));
}

Status Flusher::RemoveLeftovers() {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, disk_.List(directory_));
  for (const std::string& name : names) {
    const bool is_known = std::ranges::any_of(catalogue_.segments(), [&](const auto& row) { return row.file == name; });
    if (!is_known) RETURN_IF_ERROR(disk_.Remove(PathOf(name)));
  }
  return absl::OkStatus();
}

}  // namespace spanloom::store::columnar
