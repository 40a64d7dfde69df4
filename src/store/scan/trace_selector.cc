// SPDX-License-Identifier: Apache-2.0

#include "store/scan/trace_selector.h"

#include <algorithm>

namespace spanloom::store::scan {

TraceSelector::TraceSelector(const FetchPlan& plan) : join_(plan.join), starts_(plan.starts) {
  matchers_.reserve(plan.spansets.size());
  for (const Predicate& spanset : plan.spansets) matchers_.emplace_back(spanset);
  all_have_services_ = std::all_of(matchers_.begin(), matchers_.end(),
                                   [](const PredicateMatcher& matcher) { return matcher.service().has_value(); });
  services_ = ServicesOf(matchers_, join_);
}

std::vector<std::string> TraceSelector::ServicesOf(const std::vector<PredicateMatcher>& matchers,
                                                   FetchPlan::Join join) {
  std::vector<std::string> services;
  for (const PredicateMatcher& matcher : matchers) {
    if (auto service = matcher.service()) {
      services.push_back(*std::move(service));
    } else if (join == FetchPlan::Join::kAny) {
      return {};
    }
  }
  std::sort(services.begin(), services.end());
  services.erase(std::unique(services.begin(), services.end()), services.end());
  return services;
}

std::optional<std::string> TraceSelector::only_service() const {
  return all_have_services_ && services_.size() == 1 ? std::optional(services_.front()) : std::nullopt;
}

bool TraceSelector::needs_trace() const {
  return std::any_of(matchers_.begin(), matchers_.end(),
                     [](const PredicateMatcher& matcher) { return matcher.needs_trace(); });
}

bool TraceSelector::matches_everything() const {
  const auto matches_everything = [](const PredicateMatcher& matcher) { return matcher.matches_everything(); };
  return join_ == FetchPlan::Join::kAny ? std::any_of(matchers_.begin(), matchers_.end(), matches_everything)
                                        : std::all_of(matchers_.begin(), matchers_.end(), matches_everything);
}

StatusOr<std::optional<uint64_t>> TraceSelector::LatestMatch(TraceReading& trace, ReadMeter& meter) {
  const uint64_t all = ~uint64_t{0} >> (64 - matchers_.size());
  uint64_t seen = 0;
  std::optional<uint64_t> latest;
  for (size_t ordinal = trace.size(); ordinal > 0; --ordinal) {
    RETURN_IF_ERROR(meter.Step());
    const uint64_t start = trace.start_unix_ns(ordinal - 1);
    if (start < starts_.begin_unix_ns) break;  // so do all that are left
    const uint64_t matches = MatchesOf(trace, ordinal - 1);
    if (matches == 0) continue;
    if (!latest) latest = start;
    seen |= matches;
    if (join_ == FetchPlan::Join::kAny || seen == all) return latest;
  }
  return std::optional<uint64_t>();
}

uint64_t TraceSelector::MatchesOf(TraceReading& trace, size_t ordinal) {
  if (!starts_.Contains(trace.start_unix_ns(ordinal))) return 0;
  uint64_t matches = 0;
  for (size_t i = 0; i < matchers_.size(); ++i) {
    if (matchers_[i].Matches(trace, ordinal)) matches |= uint64_t{1} << i;
  }
  return matches;
}

}  // namespace spanloom::store::scan
