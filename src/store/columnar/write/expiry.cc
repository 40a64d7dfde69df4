// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/write/expiry.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace spanloom::store::columnar {
namespace {

struct TraceAge {
  uint64_t last_start_unix_ns = 0;
  uint64_t spans = 0;
  uint64_t bytes = 0;
  bool is_in_head = false;
  std::vector<std::pair<size_t, TracePlace>> places;  // segment of the parts
};
using Ages = absl::flat_hash_map<otlp::TraceId, TraceAge>;

Status AddSegment(const Segment& segment, size_t number, Ages& ages) {
  for (const TraceChunkRef& chunk : segment.reader().index().trace_chunks()) {
    ASSIGN_OR_RETURN(const std::vector<TracePlace> places, segment.reader().TracesOf(chunk));
    for (const TracePlace& place : places) {
      if (segment.IsGone(place.number)) continue;
      TraceAge& age = ages[place.id()];
      age.last_start_unix_ns = std::max(age.last_start_unix_ns, place.last_start_unix_ns());
      age.spans += place.rows();
      age.bytes += segment.BytesOf(place.rows());
      age.places.emplace_back(number, place);
    }
  }
  return absl::OkStatus();
}

// Returns the bytes of all.
uint64_t AddHead(const head::LockedTable& table, Ages& ages) {
  const MutexLock lock(table.mutex);
  for (const head::StoredTrace* const trace : table.table.by_arrival()) {
    TraceAge& age = ages[trace->id];
    age.last_start_unix_ns = std::max(age.last_start_unix_ns, trace->starts.latest);
    age.spans += trace->spans.size();
    age.bytes += trace->wire_bytes;  // origins are shared with others
    age.is_in_head = true;
  }
  return table.table.bytes();
}

void Remove(const otlp::TraceId& id, const TraceAge& age, Expired& expired) {
  ++expired.removed.traces;
  expired.removed.spans += age.spans;
  expired.all_traces.push_back(id);
  if (age.is_in_head) expired.traces.push_back(id);
  for (const auto& [segment, place] : age.places) {
    expired.segments[segment].traces.push_back(place.number);
    expired.segments[segment].spans += place.rows();
  }
}

}  // namespace

StatusOr<Expired> FindExpired(const Parts& parts, const RetentionPolicy& policy, uint64_t now_unix_ns) {
  constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();
  Ages ages;
  uint64_t bytes = 0;
  for (size_t i = 0; i < parts.segments.size(); ++i) {
    RETURN_IF_ERROR(AddSegment(*parts.segments[i], i, ages));
    bytes += parts.segments[i]->bytes_left();
  }
  if (parts.full != nullptr) bytes += AddHead(*parts.full, ages);
  bytes += AddHead(*parts.filling, ages);
  std::vector<Ages::const_pointer> oldest_first;
  for (const Ages::value_type& age : ages) oldest_first.push_back(&age);
  std::ranges::sort(oldest_first, {},
                    [](Ages::const_pointer age) { return std::pair(age->second.last_start_unix_ns, age->first); });
  Expired expired;
  expired.segments.resize(parts.segments.size());
  for (const Ages::const_pointer age : oldest_first) {
    const uint64_t last = age->second.last_start_unix_ns;
    const bool is_too_old = last < now_unix_ns && now_unix_ns - last > policy.age_max_ns.value_or(kNever);
    if (!is_too_old && bytes <= policy.bytes_max.value_or(kNever)) break;
    bytes -= std::min(bytes, age->second.bytes);
    Remove(age->first, age->second, expired);
  }
  for (Expired::OfSegment& segment : expired.segments) std::ranges::sort(segment.traces);
  return expired;
}

}  // namespace spanloom::store::columnar
