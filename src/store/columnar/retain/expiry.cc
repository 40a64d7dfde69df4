// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/retain/expiry.h"

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
  uint64_t bytes = 0;
  bool is_split = false;
  absl::InlinedVector<ExpiredTrace::Place, 1> places;
};
using Ages = absl::flat_hash_map<otlp::TraceId, TraceAge>;

struct NumberedHead {
  uint32_t part = 0;  // ExpiredTrace::Place::part
  const head::LockedTable* table = nullptr;
};

std::vector<NumberedHead> HeadsOf(const Parts& parts) {
  const auto segments = static_cast<uint32_t>(parts.segments.size());
  std::vector<NumberedHead> heads;
  if (parts.full != nullptr) heads.push_back({.part = segments, .table = parts.full.get()});
  heads.push_back({.part = segments + 1, .table = parts.filling.get()});
  return heads;
}

uint64_t BytesOf(const Parts& parts) {
  uint64_t bytes = 0;
  for (const auto& segment : parts.segments) bytes += segment->bytes_left();
  for (const NumberedHead& head : HeadsOf(parts)) {
    const MutexLock lock(head.table->mutex);
    bytes += head.table->table.bytes();
  }
  return bytes;
}

void AddPlace(const Segment& segment, size_t part, const TracePlace& place, TraceAge& age) {
  age.last_start_unix_ns = std::max(age.last_start_unix_ns, place.last_start_unix_ns());
  age.bytes += segment.BytesOf(place.rows());
  age.places.push_back({.part = static_cast<uint32_t>(part), .trace = place.number, .spans = place.rows()});
}

void AddStored(const head::StoredTrace& trace, uint32_t part, TraceAge& age) {
  age.last_start_unix_ns = std::max(age.last_start_unix_ns, trace.starts.latest);
  age.bytes += trace.wire_bytes;  // origins are shared with others
  age.places.push_back({.part = part, .trace = 0, .spans = trace.spans.size()});
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
    const std::optional<uint64_t> until = Horizon(count);
    if (!until) return Expired();
    RETURN_IF_ERROR(AddSegments(*until));
    AddHeads(*until);
    RETURN_IF_ERROR(CompleteSplit());
    return TakeOldest(*until);
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
        if (chunk.slots[static_cast<size_t>(TraceSlot::kStart)].base > until) break;  // traces stand by their start
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
    for (const NumberedHead& head : HeadsOf(parts_)) {
      const MutexLock lock(head.table->mutex);
      for (const head::StoredTrace* const trace : head.table->table.by_arrival()) {
        if (trace->starts.latest <= until) AddStored(*trace, head.part, ages_[trace->id]);
      }
    }
  }

  // Traces that lie in several parts: with all of them.
  Status CompleteSplit() {
    for (auto& [id, age] : ages_) {
      if (!split_.Contains(id)) continue;
      age = TraceAge();
      age.is_split = true;
      RETURN_IF_ERROR(parts_.segments.Find(id, [&](size_t index, const TracePlace& place) {
        AddPlace(*parts_.segments[index], index, place, age);
        return absl::OkStatus();
      }));
      for (const NumberedHead& head : HeadsOf(parts_)) {
        const MutexLock lock(head.table->mutex);
        if (const head::StoredTrace* const trace = head.table->table.Find(id)) AddStored(*trace, head.part, age);
      }
    }
    return absl::OkStatus();
  }

  Expired TakeOldest(uint64_t until) {
    std::vector<Ages::pointer> oldest_first;
    for (Ages::value_type& age : ages_) {
      if (age.second.last_start_unix_ns <= until) oldest_first.push_back(&age);
    }
    std::ranges::sort(oldest_first, {},
                      [](Ages::pointer age) { return std::pair(age->second.last_start_unix_ns, age->first); });
    Expired expired;
    for (const Ages::pointer age : oldest_first) {
      if (!IsTooOld(age->second.last_start_unix_ns) && bytes_ <= bytes_max_) break;
      bytes_ -= std::min(bytes_, age->second.bytes);
      expired.traces.push_back(
          {.id = age->first, .is_split = age->second.is_split, .places = std::move(age->second.places)});
    }
    expired.is_all = until == kNever || (bytes_ <= bytes_max_ && until >= too_old_before_);
    return expired;
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
