// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/write/expiry.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

namespace spanloom::store::columnar {
namespace {

constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

struct TraceAge {
  uint64_t last_start_unix_ns = 0;
  uint64_t spans = 0;
  uint64_t bytes = 0;
  bool is_in_head = false;
  std::vector<std::pair<size_t, TracePlace>> places;  // segment of the parts
};
using Ages = absl::flat_hash_map<otlp::TraceId, TraceAge>;

std::vector<const head::LockedTable*> HeadsOf(const Parts& parts) {
  std::vector<const head::LockedTable*> heads;
  for (const auto& head : {parts.full, parts.filling}) {
    if (head != nullptr) heads.push_back(head.get());
  }
  return heads;
}

uint64_t BytesOf(const Parts& parts) {
  uint64_t bytes = 0;
  for (const auto& segment : parts.segments) bytes += segment->bytes_left();
  for (const head::LockedTable* const head : HeadsOf(parts)) {
    const MutexLock lock(head->mutex);
    bytes += head->table.bytes();
  }
  return bytes;
}

void AddPlace(const Segment& segment, size_t number, const TracePlace& place, TraceAge& age) {
  age.last_start_unix_ns = std::max(age.last_start_unix_ns, place.last_start_unix_ns());
  age.spans += place.rows();
  age.bytes += segment.BytesOf(place.rows());
  age.places.emplace_back(number, place);
}

void AddStored(const head::StoredTrace& trace, TraceAge& age) {
  age.last_start_unix_ns = std::max(age.last_start_unix_ns, trace.starts.latest);
  age.spans += trace.spans.size();
  age.bytes += trace.wire_bytes;  // origins are shared with others
  age.is_in_head = true;
}

// One look for traces whose last span started by some time.
class Expiry {
 public:
  Expiry(const Parts& parts, const SplitTraces& split, const RetentionPolicy& policy, uint64_t now_unix_ns)
      : parts_(parts), split_(split), bytes_max_(policy.bytes_max.value_or(kNever)), bytes_(BytesOf(parts)) {
    const uint64_t age_max = policy.age_max_ns.value_or(kNever);
    if (age_max < now_unix_ns) too_old_before_ = now_unix_ns - age_max;
  }

  StatusOr<Expired> Find(const SegmentCount& count) {
    Expired expired;
    expired.segments.resize(parts_.segments.size());
    const std::optional<uint64_t> until = Horizon(count);
    if (!until) return expired;
    RETURN_IF_ERROR(AddSegments(*until));
    AddHeads(*until);
    RETURN_IF_ERROR(CompleteSplit());
    RemoveOldest(*until, expired);
    return expired;
  }

 private:
  [[nodiscard]] bool IsTooOld(uint64_t last_start) const { return last_start < too_old_before_; }

  // Until when the last span of a trace must have started for it to be looked at; nullopt if nothing has to go.
  [[nodiscard]] std::optional<uint64_t> Horizon(const SegmentCount& count) const {
    if (bytes_ <= bytes_max_ && too_old_before_ == 0) return std::nullopt;
    std::vector<const Segment*> oldest_first;
    for (const auto& segment : parts_.segments) oldest_first.push_back(segment.get());
    const auto last_start = [](const Segment* segment) { return segment->row().last_start_unix_ns; };
    std::ranges::sort(oldest_first, {}, last_start);
    uint64_t too_many = bytes_ - std::min(bytes_, bytes_max_);
    size_t taken = 0;
    for (const Segment* const segment : oldest_first) {
      const bool is_wanted = taken < count.min || too_many > 0 || IsTooOld(last_start(segment));
      if (!is_wanted || taken == count.max) return Until(last_start(oldest_first[taken - 1]), taken == count.max);
      too_many -= std::min(too_many, segment->bytes_left());
      ++taken;
    }
    return kNever;
  }

  // `last_start`: of the segments that are looked at.
  [[nodiscard]] uint64_t Until(uint64_t last_start, bool is_cut_short) const {
    if (is_cut_short) return last_start;
    return bytes_ > bytes_max_ ? std::max(last_start, too_old_before_) : too_old_before_;
  }

  Status AddSegments(uint64_t until) {
    for (size_t i = 0; i < parts_.segments.size(); ++i) {
      const Segment& segment = *parts_.segments[i];
      if (segment.row().first_start_unix_ns > until) continue;
      for (const TraceChunkRef& chunk : segment.reader().index().trace_chunks()) {
        ASSIGN_OR_RETURN(const std::vector<TracePlace> places, segment.reader().TracesOf(chunk));
        for (const TracePlace& place : places) {
          if (segment.IsGone(place.number) || place.last_start_unix_ns() > until) continue;
          AddPlace(segment, i, place, ages_[place.id()]);
        }
      }
    }
    return absl::OkStatus();
  }

  void AddHeads(uint64_t until) {
    for (const head::LockedTable* const head : HeadsOf(parts_)) {
      const MutexLock lock(head->mutex);
      for (const head::StoredTrace* const trace : head->table.by_arrival()) {
        if (trace->starts.latest <= until) AddStored(*trace, ages_[trace->id]);
      }
    }
  }

  // Traces that lie in several parts: with all of them.
  Status CompleteSplit() {
    for (auto& [id, age] : ages_) {
      if (!split_.Contains(id)) continue;
      age = TraceAge();
      for (size_t i = 0; i < parts_.segments.size(); ++i) {
        ASSIGN_OR_RETURN(const std::optional<TracePlace> place, parts_.segments[i]->Find(id));
        if (place) AddPlace(*parts_.segments[i], i, *place, age);
      }
      for (const head::LockedTable* const head : HeadsOf(parts_)) {
        const MutexLock lock(head->mutex);
        if (const head::StoredTrace* const trace = head->table.Find(id)) AddStored(*trace, age);
      }
    }
    return absl::OkStatus();
  }

  void RemoveOldest(uint64_t until, Expired& expired) {
    std::vector<Ages::const_pointer> oldest_first;
    for (const Ages::value_type& age : ages_) {
      if (age.second.last_start_unix_ns <= until) oldest_first.push_back(&age);
    }
    std::ranges::sort(oldest_first, {},
                      [](Ages::const_pointer age) { return std::pair(age->second.last_start_unix_ns, age->first); });
    for (const Ages::const_pointer age : oldest_first) {
      if (!IsTooOld(age->second.last_start_unix_ns) && bytes_ <= bytes_max_) break;
      bytes_ -= std::min(bytes_, age->second.bytes);
      Remove(age->first, age->second, expired);
    }
    for (Expired::OfSegment& segment : expired.segments) std::ranges::sort(segment.traces);
    expired.is_all = until == kNever || (bytes_ <= bytes_max_ && until >= too_old_before_);
  }

  static void Remove(const otlp::TraceId& id, const TraceAge& age, Expired& expired) {
    ++expired.removed.traces;
    expired.removed.spans += age.spans;
    expired.all_traces.push_back(id);
    if (age.is_in_head) expired.traces.push_back(id);
    for (const auto& [segment, place] : age.places) {
      expired.segments[segment].traces.push_back(place.number);
      expired.segments[segment].spans += place.rows();
    }
  }

  const Parts& parts_;
  const SplitTraces& split_;
  const uint64_t bytes_max_;
  uint64_t too_old_before_ = 0;  // last starts; 0: none is
  uint64_t bytes_;               // that are left
  Ages ages_;
};

}  // namespace

StatusOr<Expired> FindExpired(const Parts& parts, const SplitTraces& split, const RetentionPolicy& policy,
                              uint64_t now_unix_ns, const SegmentCount& count) {
  return Expiry(parts, split, policy, now_unix_ns).Find(count);
}

}  // namespace spanloom::store::columnar
