// SPDX-License-Identifier: Apache-2.0

#include "store/memory/trace_search.h"

#include <algorithm>
#include <optional>

namespace spanloom::store::memory {
namespace {

std::optional<uint64_t> LatestMatchStart(const TraceSpans& spans, SpanMatcher& matcher) {
  std::optional<uint64_t> latest;
  spans.ForEach([&](const StoredSpan& span) {
    const otlp::SpanView view = span.span();
    // A span that starts earlier than one that matches can't change the answer.
    if ((!latest || view.start_unix_ns() > *latest) && matcher.Matches(span, view)) latest = view.start_unix_ns();
    return true;
  });
  return latest;
}

}  // namespace

void TraceSearch::Consider(const Candidate& candidate) {
  if (IsCompleteAt(candidate.latest_start_unix_ns)) return;
  const std::optional<uint64_t> start = LatestMatchStart(*candidate.spans, matcher_);
  if (!start) return;
  const auto [seen, is_new] = found_start_unix_ns_.try_emplace(candidate.id, *start);
  if (!is_new) {
    found_.erase({.latest_start_unix_ns = seen->second, .id = candidate.id});
    seen->second = *start;
  }
  found_[{.latest_start_unix_ns = *start, .id = candidate.id}] = candidate.spans;
  if (found_.size() <= query_.limit) return;
  const auto last = std::prev(found_.end());
  found_start_unix_ns_.erase(last->first.id);
  found_.erase(last);
}

bool TraceSearch::IsCompleteAt(uint64_t latest_start_unix_ns) const {
  if (query_.limit == 0) return true;
  return found_.size() >= query_.limit && std::prev(found_.end())->first.latest_start_unix_ns > latest_start_unix_ns;
}

std::vector<Trace> TraceSearch::Take() const {
  std::vector<Trace> traces;
  traces.reserve(found_.size());
  for (const auto& [position, spans] : found_) traces.push_back({.id = position.id, .spans = spans->ByStart()});
  return traces;
}

}  // namespace spanloom::store::memory
