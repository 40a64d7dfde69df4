// SPDX-License-Identifier: Apache-2.0

#include "store/head/candidate_reader.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace spanloom::store::head {

CandidateReader::CandidateReader(const LockedTable& table, CandidateQuery query)
    : table_(table), query_(std::move(query)), phase_(Phase::kIndex) {
  const MutexLock lock(table.mutex);
  begun_ = table.table.version();
}

CandidateReader::CandidateReader(const LockedTable& table, CandidateQuery query, std::vector<otlp::TraceId> ids)
    : CandidateReader(table, std::move(query)) {
  if (ids.empty()) return;
  ids_ = std::move(ids);
  phase_ = Phase::kIds;
}

std::optional<Candidate> CandidateReader::Next() {
  while (true) {
    while (page_.empty() && phase_ != Phase::kEnd) ReadPage();
    if (page_.empty()) return std::nullopt;
    Candidate candidate = std::move(page_.front());
    page_.pop_front();
    if (seen_.insert(candidate.id).second) return candidate;
  }
}

void CandidateReader::SkipToChanged() {
  if (phase_ != Phase::kIndex) return;
  page_.clear();
  phase_ = Phase::kChanged;
}

void CandidateReader::ReadPage() {
  const MutexLock lock(table_.mutex);
  switch (phase_) {
    case Phase::kIds:
      return ReadIds();
    case Phase::kIndex:
      return ReadIndex();
    case Phase::kChanged:
      return ReadChanged();
    case Phase::kEnd:
      return;
  }
}

void CandidateReader::ReadIds() {
  for (size_t i = 0; i < kPageTraces && !ids_.empty(); ++i) {
    const StoredTrace* const trace = table_.table.Find(ids_.back());
    ids_.pop_back();
    if (trace == nullptr) continue;
    if (auto candidate = table_.table.index().Find(query_, *trace)) page_.push_back(*std::move(candidate));
  }
  if (ids_.empty()) phase_ = Phase::kEnd;
}

void CandidateReader::ReadIndex() {
  CandidatePage page = table_.table.index().Read(query_, after_, kPageTraces);
  std::move(page.candidates.begin(), page.candidates.end(), std::back_inserter(page_));
  after_ = page.after;
  if (!after_) phase_ = Phase::kChanged;
}

void CandidateReader::ReadChanged() {
  const auto& by_arrival = table_.table.by_arrival();
  for (auto trace = by_arrival.rbegin(); trace != by_arrival.rend() && (*trace)->version > begun_; ++trace) {
    if (seen_.contains((*trace)->id)) continue;
    if (auto candidate = table_.table.index().Find(query_, **trace)) page_.push_back(*std::move(candidate));
  }
  phase_ = Phase::kEnd;
}

Status ReadTrace(const Candidate& candidate, scan::TraceReading& reading, scan::ReadMeter& meter) {
  reading.Begin(candidate.id);
  meter.Trace();
  Status status;
  candidate.spans.ForEach([&](const StoredSpan& span) {
    status = reading.Add(span, meter);
    return status.ok();
  });
  reading.Sort();
  return status;
}

}  // namespace spanloom::store::head
