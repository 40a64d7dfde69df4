// SPDX-License-Identifier: Apache-2.0

#include "store/head/trace_table.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace spanloom::store::head {
namespace {

// Where `span` stands in trace.arrivals: the place of the same content, or the free place where it belongs.
struct ArrivalPlace {
  uint64_t hash = 0;
  bool is_taken = false;  // by the same content
};

ArrivalPlace FindPlace(const IncomingSpan& span, const SpanOrigin* origin, const StoredTrace& trace,
                       const TraceSpans::Block& block) {
  uint64_t hash = span.content_hash;
  for (auto arrival = trace.arrivals.find(hash); arrival != trace.arrivals.end();
       arrival = trace.arrivals.find(++hash)) {
    const size_t index = arrival->second;
    const size_t stored = trace.spans->size();
    const StoredSpan& other = index < stored ? trace.spans->at(index) : block[index - stored];
    if (other.origin.get() == origin && other.wire.view() == span.stored.wire.view()) {
      return {.hash = hash, .is_taken = true};
    }
  }
  return {.hash = hash, .is_taken = false};
}

// Splits the spans of a trace into those at `arrivals` (ascending) and the others.
void Split(const TraceSpans& spans, const std::vector<uint32_t>& arrivals, std::vector<StoredSpan>& taken,
           std::vector<StoredSpan>& left) {
  uint32_t arrival = 0;
  auto next = arrivals.begin();
  spans.ForEach([&](const StoredSpan& span) {
    const bool is_taken = next != arrivals.end() && *next == arrival++;
    if (is_taken) ++next;
    (is_taken ? taken : left).push_back(span);
    return true;
  });
}

}  // namespace

AddCounts TraceTable::Add(const std::vector<IncomingTrace>& incoming, RemovedTraces& removed) {
  AddCounts counts;
  ++version_;
  KnownOrigins known;
  for (const IncomingTrace& trace : incoming) AddTrace(trace, known, counts);
  while (IsOverLimit()) {
    CHECK(by_arrival_.size() > 1);  // one trace alone is within the limits: HasRoom
    StoredTrace& oldest = *by_arrival_.front();
    counts.evicted += oldest.spans->size();
    removed.push_back(Remove(oldest));
  }
  return counts;
}

// What a trace in the same call used stays in use: only whole traces go, and only afterwards.
std::shared_ptr<const SpanOrigin> TraceTable::OriginOf(const IncomingSpan& span, KnownOrigins& known) const {
  constexpr size_t kKnownMax = 16;  // guess
  const SpanOrigin* const raw = span.stored.origin.get();
  for (const auto& [came, in_use] : known) {
    if (came == raw) return in_use;
  }
  std::shared_ptr<const SpanOrigin> origin = origins_.Find(span.stored.origin);
  // One that is returned as it came may be in no use yet.
  if (origin.get() != raw && known.size() < kKnownMax) known.emplace_back(raw, origin);
  return origin;
}

void TraceTable::AddTrace(const IncomingTrace& incoming, KnownOrigins& known, AddCounts& counts) {
  StoredTrace& trace = FindOrAddTrace(incoming.id);
  trace.arrivals.reserve(trace.arrivals.size() + incoming.spans.size());
  TraceSpans::Block block;
  block.reserve(incoming.spans.size());
  added_.clear();
  for (const IncomingSpan& span : incoming.spans) {
    std::shared_ptr<const SpanOrigin> origin = OriginOf(span, known);
    const ArrivalPlace place = FindPlace(span, origin.get(), trace, block);
    if (place.is_taken) {
      ++counts.duplicate;
    } else if (!HasRoom(trace, span, *origin)) {
      ++counts.refused;
    } else {
      trace.arrivals.emplace(place.hash, trace.arrivals.size());
      AddSpan(span, std::move(origin), trace, block);
      added_.push_back(&span);
      recent_.Add(trace.id, block.back());
    }
  }
  if (!block.empty()) {
    Note(trace);
    trace.spans = std::make_shared<const TraceSpans>(*trace.spans, std::move(block));
    Touch(trace);
  } else if (trace.spans->empty()) {
    Remove(trace);
  }
}

StoredTrace& TraceTable::FindOrAddTrace(const otlp::TraceId& id) {
  std::unique_ptr<StoredTrace>& trace = traces_[id];
  if (trace == nullptr) {
    trace = std::make_unique<StoredTrace>(id);
    trace->by_arrival = by_arrival_.insert(by_arrival_.end(), trace.get());
  }
  return *trace;
}

void TraceTable::AddSpan(const IncomingSpan& span, std::shared_ptr<const SpanOrigin> origin, StoredTrace& trace,
                         TraceSpans::Block& block) {
  if (trace.origins.insert(origin.get()).second) {
    origins_.Acquire(origin);
    trace.origin_bytes += OriginBytes(*origin);
  }
  trace.wire_bytes += span.stored.wire.size();
  wire_bytes_ += span.stored.wire.size();
  ++spans_;
  block.push_back({.wire = span.stored.wire, .origin = std::move(origin)});
}

void TraceTable::Note(StoredTrace& trace) {
  if (index_.has_value()) return index_->Add(trace, added_);
  for (const IncomingSpan* const span : added_) trace.starts.Include(span->start_unix_ns);
}

StartRange TraceTable::Starts() const {
  StartRange starts;
  for (const StoredTrace* const trace : by_arrival_) {
    starts.Include(trace->starts.earliest);
    starts.Include(trace->starts.latest);
  }
  return starts;
}

void TraceTable::Touch(StoredTrace& trace) {
  trace.version = version_;
  trace.row = nullptr;
  by_arrival_.splice(by_arrival_.end(), by_arrival_, trace.by_arrival);
}

bool TraceTable::HasRoom(const StoredTrace& trace, const IncomingSpan& span, const SpanOrigin& origin) const {
  const size_t origin_bytes = trace.origins.contains(&origin) ? 0 : OriginBytes(origin);
  return trace.arrivals.size() < limits_.spans_max &&
         trace.wire_bytes + trace.origin_bytes + span.stored.wire.size() + origin_bytes <= limits_.bytes_max;
}

bool TraceTable::IsOverLimit() const {
  return traces_.size() > limits_.traces_max || spans_ > limits_.spans_max || bytes() > limits_.bytes_max;
}

Removed TraceTable::Expire(const RetentionPolicy& policy, uint64_t now_unix_ns, RemovedTraces& removed) {
  Removed sum;
  const uint64_t age_max_ns = policy.age_max_ns.value_or(std::numeric_limits<uint64_t>::max());
  const uint64_t bytes_max = policy.bytes_max.value_or(std::numeric_limits<uint64_t>::max());
  const uint64_t bytes_before = bytes();
  while (StoredTrace* const oldest = index().oldest()) {
    const bool is_too_old = oldest->starts.latest < now_unix_ns && now_unix_ns - oldest->starts.latest > age_max_ns;
    if (!is_too_old && bytes() <= bytes_max) break;
    ++sum.traces;
    sum.spans += oldest->spans->size();
    removed.push_back(Remove(*oldest));
  }
  sum.bytes = bytes_before - bytes();
  return sum;
}

bool TraceTable::Drop(const otlp::TraceId& id, RemovedTraces& removed) {
  const auto found = traces_.find(id);
  if (found == traces_.end()) return false;
  removed.push_back(Remove(*found->second));
  return true;
}

std::optional<Removed> TraceTable::Purge(const Candidate& candidate, const std::vector<uint32_t>& arrivals,
                                         std::vector<StoredSpan>& taken, RemovedTraces& removed) {
  const auto found = traces_.find(candidate.id);
  if (found == traces_.end()) return Removed{};  // it went as a whole
  StoredTrace& trace = *found->second;
  // A trace only grows, unless it was purged, or evicted and sent again.
  if (!candidate.spans->IsBeginningOf(*trace.spans)) return std::nullopt;
  const uint64_t bytes_before = bytes();
  std::vector<StoredSpan> left;
  Split(*trace.spans, arrivals, taken, left);
  Removed sum = {.traces = left.empty() ? uint64_t{1} : 0, .spans = arrivals.size()};
  if (left.empty()) {
    removed.push_back(Remove(trace));
  } else {
    Empty(trace);
    Refill(left, trace);
  }
  sum.bytes = bytes_before - bytes();
  return sum;
}

void TraceTable::Empty(StoredTrace& trace) {
  if (index_.has_value()) index_->Remove(trace);
  trace.starts = {};
  for (const SpanOrigin* origin : trace.origins) origins_.Release(*origin);
  wire_bytes_ -= trace.wire_bytes;
  spans_ -= trace.spans->size();
  trace.spans = TraceSpans::None();
  trace.arrivals.clear();
  trace.origins.clear();
  trace.wire_bytes = 0;
  trace.origin_bytes = 0;
}

// It keeps its place in by_arrival_: nothing new has come.
void TraceTable::Refill(const std::vector<StoredSpan>& spans, StoredTrace& trace) {
  TraceSpans::Block block;
  std::vector<IncomingSpan> described;
  described.reserve(spans.size());
  added_.clear();
  for (const StoredSpan& stored : spans) {
    const IncomingSpan& span = described.emplace_back(Describe(stored, stored.resource().service_name()));
    const ArrivalPlace place = FindPlace(span, stored.origin.get(), trace, block);
    CHECK(!place.is_taken);
    trace.arrivals.emplace(place.hash, trace.arrivals.size());
    AddSpan(span, stored.origin, trace, block);
    added_.push_back(&span);
  }
  Note(trace);
  trace.spans = std::make_shared<const TraceSpans>(*trace.spans, std::move(block));
  trace.version = ++version_;
  trace.row = nullptr;
}

std::unique_ptr<StoredTrace> TraceTable::Remove(StoredTrace& trace) {
  if (index_.has_value() && !trace.starts.empty()) index_->Remove(trace);
  for (const SpanOrigin* origin : trace.origins) origins_.Release(*origin);
  wire_bytes_ -= trace.wire_bytes;
  spans_ -= trace.spans->size();
  by_arrival_.erase(trace.by_arrival);
  const auto owner = traces_.find(trace.id);
  std::unique_ptr<StoredTrace> removed = std::move(owner->second);
  traces_.erase(owner);
  return removed;
}

void TraceTable::KeepRow(const otlp::TraceId& id, uint64_t version, std::shared_ptr<const TraceRow> row) {
  const auto trace = traces_.find(id);
  if (trace != traces_.end() && trace->second->version == version) trace->second->row = std::move(row);
}

void TraceTable::KeepRequests(const otlp::TraceId& id, std::shared_ptr<const DerivedRequests> requests) {
  const auto trace = traces_.find(id);
  if (trace != traces_.end() && trace->second->version == requests->version) {
    trace->second->requests = std::move(requests);
  }
}

const StoredTrace* TraceTable::Find(const otlp::TraceId& id) const {
  const auto trace = traces_.find(id);
  return trace == traces_.end() ? nullptr : trace->second.get();
}

}  // namespace spanloom::store::head
