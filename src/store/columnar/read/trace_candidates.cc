// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/read/trace_candidates.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace spanloom::store::columnar {

TraceCandidates::SegmentState& TraceCandidates::StateOf(const Segment& segment) {
  const auto [found, is_new] = segments_.try_emplace(&segment, segment.reader());
  if (is_new) {
    for (const Predicate& spanset : spansets_) found->second.spansets.emplace_back(spanset, segment.reader());
  }
  return found->second;
}

StatusOr<bool> TraceCandidates::MayHave(const Segment& segment) {
  const auto may_be_met = [&](const TextDemand& demand) { return demand.MayBeMetBy(segment.reader()); };
  if (std::ranges::none_of(demands_, may_be_met)) return false;
  for (SegmentMatcher& spanset : StateOf(segment).spansets) {
    StatusOr<bool> may_match = spanset.MayMatch();
    if (absl::IsDataLoss(may_match.status())) may_match = true;
    if (!may_match.ok() || *may_match) return may_match;
  }
  return false;
}

StatusOr<RowBits> TraceCandidates::MayRows(SegmentMatcher& matcher, PageColumns& page) {
  StatusOr<RowSet> set = matcher.Match(page);
  if (absl::IsDataLoss(set.status())) set = RowSet::Unknown(page.rows());
  if (!set.ok()) return set.status();
  return set->May();
}

StatusOr<const TraceCandidates::PageRows*> TraceCandidates::RowsOf(const Segment& segment, size_t page) {
  SegmentState& state = StateOf(segment);
  const auto [found, is_new] = state.pages.try_emplace(page);
  if (!is_new) return &found->second;
  RETURN_IF_ERROR(meter_.Step(kPageSteps));
  PageColumns columns(segment.reader(), state.table, page);
  PageRows rows;
  for (SegmentMatcher& spanset : state.spansets) {
    ASSIGN_OR_RETURN(rows.emplace_back(), MayRows(spanset, columns));
  }
  found->second = std::move(rows);
  return &found->second;
}

StatusOr<bool> TraceCandidates::HasAny(const Segment& segment, size_t first_page, size_t last_page) {
  bool has_any = false;
  for (size_t page = first_page; page <= last_page; ++page) {
    ASSIGN_OR_RETURN(const PageRows* const rows, RowsOf(segment, page));
    for (const RowBits& bits : *rows) has_any = has_any || HasRowWithin(bits, 0, bits.size() * 64);
  }
  return has_any;
}

StatusOr<std::vector<TracePlace>> TraceCandidates::InChunk(const Segment& segment, size_t chunk) {
  const SegmentIndex& index = segment.reader().index();
  const auto& chunks = index.trace_chunks();
  const uint64_t end = chunk + 1 < chunks.size() ? chunks[chunk + 1].first_row : index.totals().spans;
  if (end <= chunks[chunk].first_row) return absl::DataLossError("the trace table is not in order");
  ASSIGN_OR_RETURN(const bool has_any, HasAny(segment, chunks[chunk].first_row / kPageRows, (end - 1) / kPageRows));
  if (!has_any) return std::vector<TracePlace>();
  SegmentState& state = StateOf(segment);
  ASSIGN_OR_RETURN(const std::vector<TracePlace>* const all, state.table.Chunk(chunk));
  std::vector<TracePlace> places;
  std::ranges::copy_if(*all, std::back_inserter(places),
                       [&](const TracePlace& place) { return MaySelect(state, place); });
  return places;
}

// Spans in other parts may be those that meet the other spansets.
bool TraceCandidates::MaySelect(const SegmentState& state, const TracePlace& trace) const {
  const uint64_t end = trace.first_row + trace.rows();
  size_t met = 0;
  for (size_t spanset = 0; spanset < state.spansets.size(); ++spanset) {
    if (HasRow(state, spanset, trace.first_row, end)) ++met;
  }
  if (met == 0 || met == state.spansets.size()) return met > 0;
  return join_ == FetchPlan::Join::kAny || split_.Contains(trace.id());
}

bool TraceCandidates::HasRow(const SegmentState& state, size_t spanset, uint64_t begin, uint64_t end) {
  while (begin < end) {
    const size_t page = begin / kPageRows;
    const uint64_t page_end = std::min(end, (page + 1) * uint64_t{kPageRows});
    const RowBits& bits = state.pages.at(page)[spanset];
    if (HasRowWithin(bits, begin % kPageRows, page_end - page * kPageRows)) return true;
    begin = page_end;
  }
  return false;
}

}  // namespace spanloom::store::columnar
