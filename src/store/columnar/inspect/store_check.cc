// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/inspect/store_check.h"

#include <memory>
#include <optional>
#include <utility>

#include "base/text.h"
#include "otlp/request.h"
#include "store/columnar/inspect/request_check.h"
#include "store/columnar/inspect/segment_check.h"
#include "store/columnar/parts/directory_layout.h"
#include "store/columnar/segment/segment_reader.h"

namespace spanloom::store::columnar {
namespace {

// What the catalogue says of a segment must be what the segment says of itself.
Status CheckRow(const catalogue::SegmentRow& row, const SegmentTotals& totals, uint64_t file_bytes) {
  if (row.spans == totals.spans && row.traces == totals.traces && row.bytes == file_bytes) return absl::OkStatus();
  return absl::DataLossError(StrCat("the catalogue says ", row.spans, " spans, ", row.traces, " traces, ", row.bytes,
                                    " bytes; the file has ", totals.spans, ", ", totals.traces, ", ", file_bytes));
}

// Files of another version are nobody's.
Status CheckRowsOf(const SegmentReader& reader, SegmentFile& segment, CheckReport& report) {
  if (segment.requests == nullptr) return absl::OkStatus();
  const catalogue::SegmentRow& row = segment.row;
  const SegmentIdentity identity = {.id = row.id, .bytes = row.bytes, .spans = row.spans, .traces = row.traces};
  const auto requests = RequestFile::Open(std::move(segment.requests), identity, std::nullopt);
  if (absl::IsFailedPrecondition(requests.status())) return absl::OkStatus();
  const Status status = requests.ok() ? CheckRequests(reader, **requests) : requests.status();
  if (status.ok()) {
    report.request_rows += (*requests)->index().rows();
  } else if (absl::IsDataLoss(status)) {
    report.damaged_requests.push_back({.file = segment.requests_path, .what = std::string(status.message())});
  } else {
    return Annotate(status, segment.requests_path);
  }
  return absl::OkStatus();
}

Status CheckFile(SegmentFile& segment, absl::FunctionRef<Status(uint64_t spans)> on_spans, CheckReport& report) {
  RETURN_IF_ERROR(segment.file.status());
  ASSIGN_OR_RETURN(const uint64_t bytes, (*segment.file)->Size());
  ASSIGN_OR_RETURN(const auto reader, SegmentReader::Open(*std::move(segment.file)));
  RETURN_IF_ERROR(CheckRow(segment.row, reader->index().totals(), bytes));
  RETURN_IF_ERROR(CheckSegment(*reader, on_spans));
  return CheckRowsOf(*reader, segment, report);
}

Status CheckSegments(StoreFiles& files, absl::FunctionRef<Status(uint64_t spans)> on_spans, CheckReport& report) {
  for (SegmentFile& segment : files.segments()) {
    const Status status = CheckFile(segment, on_spans, report);
    if (status.ok()) {
      ++report.segments;
      report.traces += segment.row.traces;
      report.spans += segment.row.spans;
      report.bytes += segment.row.bytes;
    } else if (absl::IsDataLoss(status) || absl::IsNotFound(status)) {
      report.findings.push_back({.file = segment.path, .what = std::string(status.message())});
    } else {
      return Annotate(status, segment.path);
    }
  }
  return absl::OkStatus();
}

Status CheckLog(const StoreFiles& files, CheckReport& report) {
  ASSIGN_OR_RETURN(
      report.log, files.log().Read(files.catalogue().log_position(), [&](const log::LogFrame& frame) -> Status {
        StatusOr<otlp::Slice> slice = otlp::ReadTraces(frame.payload);
        if (slice.ok()) {
          report.log_spans += slice->span_count();
        } else {
          report.findings.push_back(
              {.file = StrCat("frame ", frame.sequence, " of the log"), .what = std::string(slice.status().message())});
        }
        return absl::OkStatus();
      }));
  for (const log::LogDamage& damage : report.log.damaged) {
    report.findings.push_back({.file = damage.file,
                               .what = StrCat(damage.why, " at byte ", damage.offset_bytes, "; ", damage.unread_bytes,
                                              " bytes can't be read")});
  }
  for (const log::LostFrames& lost : report.log.lost) {
    report.findings.push_back({.file = disk::Join(files.directory(), kLogDirectory),
                               .what = StrCat("frames ", lost.first_sequence, " to ", lost.last_sequence,
                                              " were written once and can't be read")});
  }
  return absl::OkStatus();
}

}  // namespace

StatusOr<CheckReport> CheckStore(StoreFiles& files, absl::FunctionRef<Status(uint64_t spans)> on_spans) {
  CheckReport report;
  const Status catalogue = files.catalogue().Check();
  if (!absl::IsDataLoss(catalogue)) RETURN_IF_ERROR(catalogue);
  if (!catalogue.ok()) report.findings.push_back({.file = "the catalogue", .what = std::string(catalogue.message())});
  RETURN_IF_ERROR(CheckSegments(files, on_spans, report));
  RETURN_IF_ERROR(CheckLog(files, report));
  return report;
}

}  // namespace spanloom::store::columnar
