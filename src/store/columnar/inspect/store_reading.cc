// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/inspect/store_reading.h"

#include <utility>

#include "base/text.h"
#include "otlp/request.h"
#include "store/columnar/parts/split_search.h"
#include "store/columnar/segment/segment_reader.h"
#include "store/columnar/write/head_filler.h"
#include "store/head/followed_spans.h"

namespace spanloom::store::columnar {
namespace {

StatusOr<std::shared_ptr<const Segment>> OpenSegment(SegmentFile& segment) {
  RETURN_IF_ERROR(segment.file.status());
  ASSIGN_OR_RETURN(std::unique_ptr<const SegmentReader> reader, SegmentReader::Open(*std::move(segment.file)));
  return std::make_shared<const Segment>(segment.row, std::move(reader));
}

}  // namespace

StatusOr<std::unique_ptr<StoreReading>> StoreReading::Open(StoreFiles& files, const Clock& clock) {
  std::unique_ptr<StoreReading> reading(new StoreReading(clock));
  RETURN_IF_ERROR(reading->OpenSegments(files));
  FindSplitTraces(reading->parts_);
  RETURN_IF_ERROR(reading->ReadLog(files, clock));
  return reading;
}

Status StoreReading::OpenSegments(StoreFiles& files) {
  for (SegmentFile& file : files.segments()) {
    StatusOr<std::shared_ptr<const Segment>> segment = OpenSegment(file);
    if (segment.ok()) {
      parts_.AddSegment(*std::move(segment));
    } else if (absl::IsDataLoss(segment.status()) || absl::IsNotFound(segment.status())) {
      damage_found_.push_back(StrCat(file.path, ": ", segment.status().message()));
    } else {
      return Annotate(segment.status(), file.path);
    }
  }
  return absl::OkStatus();
}

Status StoreReading::ReadLog(const StoreFiles& files, const Clock& clock) {
  head::FollowedSpans nobody_follows({}, clock);
  HeadFiller head(parts_, nobody_follows);
  ASSIGN_OR_RETURN(
      const log::RecoveryReport report,
      files.log().Read(files.catalogue().log_position(), [&](const log::LogFrame& frame) -> Status {
        StatusOr<otlp::Slice> slice = otlp::ReadTraces(frame.payload);
        if (!slice.ok())
          return absl::DataLossError(StrCat("frame ", frame.sequence, " of the log: ", slice.status().message()));
        const otlp::Batch batch(*std::move(slice));
        head.Add(head::SplitSharing(batch.Encode()), batch.wire_bytes());
        return absl::OkStatus();
      }));
  for (const log::LogDamage& damage : report.damaged) {
    damage_found_.push_back(StrCat(damage.file, ": ", damage.why, " at byte ", damage.offset_bytes));
  }
  return absl::OkStatus();
}

}  // namespace spanloom::store::columnar
