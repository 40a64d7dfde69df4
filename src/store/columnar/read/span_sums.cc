// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/read/span_sums.h"

#include <absl/container/flat_hash_map.h>

#include <memory>
#include <utility>

#include "base/text.h"
#include "store/head/candidate_reader.h"
#include "store/scan/predicate_matcher.h"

namespace spanloom::store::columnar {

Status SpanSums::AddTo(ColumnSum& sum) {
  RETURN_IF_ERROR(meter_.Check());
  for (const head::LockedTable* const table : {parts_.full.get(), parts_.filling.get()}) {
    if (table != nullptr) RETURN_IF_ERROR(AddHead(*table, sum));
  }
  for (const auto& segment : parts_.segments) {
    const Status status = AddSegment(*segment, sum);
    if (!absl::IsDataLoss(status)) RETURN_IF_ERROR(status);
    if (!status.ok()) damage_.Add(StrCat(segment->row().file, ": ", status.message()));
  }
  return absl::OkStatus();
}

Status SpanSums::AddHead(const head::LockedTable& table, ColumnSum& sum) {
  const bool may_count = sum.needs_only_origins() && scan::PredicateMatcher(where_).matches_everything();
  std::vector<head::TraceSpans> whole;
  std::vector<head::Candidate> traces;
  {
    const MutexLock lock(table.mutex);
    for (const head::StoredTrace* const trace : table.table.by_arrival()) {
      if (may_count && starts_.Contains(trace->starts.earliest) && starts_.Contains(trace->starts.latest)) {
        whole.push_back(trace->spans);
      } else if (trace->starts.Overlaps(starts_)) {
        traces.push_back({.id = trace->id, .spans = trace->spans});
      }
    }
  }
  RETURN_IF_ERROR(AddOrigins(whole, sum));
  scan::TraceReading reading;
  for (const head::Candidate& trace : traces) {
    RETURN_IF_ERROR(head::ReadTrace(trace, reading, meter_));
    RETURN_IF_ERROR(sum.AddMessages(reading, meter_));
  }
  return absl::OkStatus();
}

Status SpanSums::AddOrigins(const std::vector<head::TraceSpans>& traces, ColumnSum& sum) {
  absl::flat_hash_map<const SpanOrigin*, uint64_t> spans;  // of each; the traces keep them
  for (const head::TraceSpans& trace : traces) {
    RETURN_IF_ERROR(meter_.Step());
    trace.ForEach([&](const StoredSpan& span) {
      ++spans[span.origin.get()];
      return true;
    });
  }
  for (const auto& [origin, count] : spans) RETURN_IF_ERROR(sum.AddOrigin(*origin, count));
  return absl::OkStatus();
}

Status SpanSums::AddSegment(const Segment& segment, ColumnSum& sum) {
  const catalogue::SegmentRow& row = segment.row();
  if (!starts_.Overlaps(row.first_start_unix_ns, row.last_start_unix_ns)) return absl::OkStatus();
  if (!demand_.MayBeMetBy(segment.reader())) return absl::OkStatus();
  SegmentMatcher matcher(where_, segment.reader());
  const StatusOr<bool> may_match = matcher.MayMatch();
  if (may_match.ok() && !*may_match) return absl::OkStatus();
  if (!absl::IsDataLoss(may_match.status())) RETURN_IF_ERROR(may_match.status());
  sum.BeginSegment(segment.reader());
  TraceTableReader table(segment.reader());
  for (size_t number = 0; number < segment.reader().index().pages().size(); ++number) {
    RETURN_IF_ERROR(meter_.Step(kPageSteps));
    PageColumns page(segment.reader(), table, number);
    const Status status = AddPage(segment, matcher, page, sum);
    if (!absl::IsDataLoss(status)) RETURN_IF_ERROR(status);
    if (!status.ok()) damage_.Add(StrCat(row.file, ": ", status.message()));
  }
  return absl::OkStatus();
}

Status SpanSums::AddPage(const Segment& segment, SegmentMatcher& matcher, PageColumns& page, ColumnSum& sum) {
  if (!starts_.Overlaps(page.ref().start_min, page.ref().start_max)) return absl::OkStatus();
  const Gone gone = segment.GoneIn(page.number());
  if (gone == Gone::kAll) return absl::OkStatus();
  RowBits undecided = MakeRowBits(page.rows());
  bool is_decided = true;
  for (uint32_t group = 0; group < page.groups(RowTable::kSpans).size(); ++group) {
    const uint32_t rows = page.groups(RowTable::kSpans)[group].rows;
    ASSIGN_OR_RETURN(RowSet set, matcher.MatchGroup(page, group));
    if (set.is_none()) continue;
    ASSIGN_OR_RETURN(const std::optional<RowSet> counted, CountedRows(segment, page, gone, group));
    set.And(counted.value_or(RowSet::Unknown(rows)));
    if (set.is_none()) continue;
    const RowBits must = set.Must();
    const SelectedRows selected = set.is_all() ? SelectedRows(rows) : SelectedRows(must, rows);
    bool is_added = selected.count() == 0;
    if (!is_added) {
      ASSIGN_OR_RETURN(is_added, sum.AddGroup(page, group, selected));
    }
    if (is_added && set.is_decided()) continue;
    ASSIGN_OR_RETURN(const auto page_rows, page.RowsOf(RowTable::kSpans, group));
    for (uint32_t row = 0; row < rows; ++row) {
      if (!set.May(row) || (is_added && set.Must(row))) continue;
      SetRow(undecided, page_rows[row]);
      is_decided = false;
    }
  }
  return is_decided ? absl::OkStatus() : AddMessages(segment, page, undecided, sum);
}

StatusOr<std::optional<RowSet>> SpanSums::CountedRows(const Segment& segment, PageColumns& page, Gone gone,
                                                      uint32_t group) const {
  const size_t rows = page.groups(RowTable::kSpans)[group].rows;
  RowSet counted = RowSet::All(rows);
  if (!starts_.Contains(page.ref().start_min) || !starts_.Contains(page.ref().start_max)) {
    ASSIGN_OR_RETURN(const auto starts, page.Starts(group));
    if (!starts) return std::optional<RowSet>();
    RowBits bits = MakeRowBits(rows);
    for (size_t row = 0; row < rows; ++row) {
      if (starts_.Contains((*starts)[row])) SetRow(bits, row);
    }
    counted = RowSet::Exactly(bits, rows);
  }
  if (gone == Gone::kNone) return std::optional(counted);
  ASSIGN_OR_RETURN(const auto traces, page.TraceNumbers(group));
  RowBits bits = MakeRowBits(rows);
  for (size_t row = 0; row < rows; ++row) {
    if (!segment.IsGone(traces[row])) SetRow(bits, row);
  }
  counted.And(RowSet::Exactly(bits, rows));
  return std::optional(counted);
}

Status SpanSums::AddMessages(const Segment& segment, PageColumns& page, const RowBits& rows, ColumnSum& sum) {
  ASSIGN_OR_RETURN(const auto traces, page.Traces());
  scan::TraceReading reading;
  std::vector<StoredSpan> spans;
  SegmentBlocks blocks = segment.reader().MakeBlocks();
  for (const PageColumns::TraceSpan& trace : traces) {
    if (segment.IsGone(trace.place.number) || !HasRowWithin(rows, trace.begin, trace.end)) continue;
    spans.clear();
    SpanReader reader(trace.place, blocks);
    for (uint32_t row = trace.begin; row < trace.end; ++row) {
      if (!HasRow(rows, row)) continue;
      const uint64_t of_trace = page.first_row() + row - trace.place.first_row;
      RETURN_IF_ERROR(reader.Read(of_trace, of_trace + 1, spans));
    }
    RETURN_IF_ERROR(reading.Read(trace.place.id(), spans, meter_));
    RETURN_IF_ERROR(sum.AddMessages(reading, meter_));
  }
  return absl::OkStatus();
}

}  // namespace spanloom::store::columnar
