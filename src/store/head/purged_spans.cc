// SPDX-License-Identifier: Apache-2.0

#include "store/head/purged_spans.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "store/head/span_content.h"
#include "store/scan/predicate_matcher.h"
#include "store/scan/read_meter.h"
#include "store/scan/trace_reading.h"

namespace spanloom::store::head {
namespace {

class PurgeCheck {
 public:
  PurgeCheck(const PurgePlan& plan, TraceSource& source, const Clock& clock)
      : plan_(plan),
        ids_(plan.traces.begin(), plan.traces.end()),
        where_(plan.where),
        source_(source),
        meter_({.bytes_max = std::numeric_limits<size_t>::max()}, clock) {}

  // Notes those that may have been meant.
  void Consider(std::vector<RecentSpan> spans) {
    for (RecentSpan& span : spans) {
      if (IsMeant(span)) meant_[span.trace_id].push_back(std::move(span));
    }
  }

  // Sequences of those that are gone.
  absl::flat_hash_set<uint64_t> FindGone() {
    for (const auto& [id, spans] : meant_) FindGone(id, spans);
    return std::move(gone_);
  }

 private:
  // A condition about the trace can't be asked any more: what it was about is gone.
  bool IsMeant(const RecentSpan& span) {
    if (!ids_.empty() && !ids_.contains(span.trace_id)) return false;
    reading_.Begin(span.trace_id);
    reading_.Add(span.stored, meter_).IgnoreError();  // it has no limits
    reading_.Sort();
    if (!plan_.starts.Contains(reading_.start_unix_ns(0))) return false;
    return where_.needs_trace() || where_.Matches(reading_, 0);
  }

  // A span that was sent again after the purge is stored once, and the last of those that came is the one.
  void FindGone(const otlp::TraceId& id, const std::vector<RecentSpan>& spans) {
    absl::flat_hash_set<const StoredSpan*, SpanContentHash, SpanContentEqual> stored;
    const auto pin = source_.Read(id, reading_, meter_);
    const size_t size = pin.ok() && *pin != nullptr ? reading_.size() : 0;
    for (size_t i = 0; i < size; ++i) stored.insert(&reading_.stored(i));
    for (auto span = spans.rbegin(); span != spans.rend(); ++span) {
      if (stored.erase(&span->stored) == 0) gone_.insert(span->sequence);
    }
  }

  const PurgePlan& plan_;
  const absl::flat_hash_set<otlp::TraceId> ids_;
  scan::PredicateMatcher where_;
  TraceSource& source_;
  scan::ReadMeter meter_;
  scan::TraceReading reading_;
  absl::flat_hash_map<otlp::TraceId, std::vector<RecentSpan>> meant_;  // in order of arrival
  absl::flat_hash_set<uint64_t> gone_;
};

}  // namespace

void ForgetPurged(const PurgePlan& plan, FollowedSpans& recent, TraceSource& traces, const Clock& clock) {
  PurgeCheck check(plan, traces, clock);
  for (uint64_t sequence = 0;;) {
    std::vector<RecentSpan> spans = recent.KeptFrom(sequence);
    if (spans.empty()) break;
    sequence = spans.back().sequence + 1;
    check.Consider(std::move(spans));
  }
  recent.Remove(check.FindGone());
}

}  // namespace spanloom::store::head
