// SPDX-License-Identifier: Apache-2.0

#include "store/head/trace_table.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace spanloom::store::head {
namespace {

// The spans of a trace but for those at `arrivals` (ascending).
std::vector<StoredSpan> Without(const TraceSpans& spans, const std::vector<uint32_t>& arrivals) {
  std::vector<StoredSpan> left;
  left.reserve(spans.size() - arrivals.size());
  uint32_t arrival = 0;
  auto next = arrivals.begin();
  spans.ForEach([&](const StoredSpan& span) {
    const bool is_taken = next != arrivals.end() && *next == arrival++;
    if (is_taken) {
      ++next;
    } else {
      left.push_back(span);
    }
    return true;
  });
  return left;
}

}  // namespace

// The origins of one batch in the table. Those that came for nothing go with it.
class TraceTable::BatchOrigins {
 public:
  BatchOrigins(const IncomingBatch& batch, OriginTable& table)
      : batch_(batch), table_(table), known_(batch.origins.size()) {}
  BatchOrigins(const BatchOrigins&) = delete;
  BatchOrigins& operator=(const BatchOrigins&) = delete;
  ~BatchOrigins() {
    for (KnownOrigin* const known : added_) table_.RemoveUnused(*known);
  }

  // By number.
  KnownOrigin& Of(uint32_t origin) {
    KnownOrigin*& known = known_[origin];
    if (known == nullptr) {
      const OriginTable::Found found = table_.FindOrAdd(batch_.origins[origin]);
      known = &found.known;
      if (found.is_new) added_.push_back(known);
    }
    return *known;
  }

 private:
  const IncomingBatch& batch_;
  OriginTable& table_;
  std::vector<KnownOrigin*> known_;  // [origins]; null if it was not asked for yet
  std::vector<KnownOrigin*> added_;
};

AddCounts TraceTable::Add(IncomingBatch& incoming, RecentSpans& recent, RemovedTraces& removed) {
  AddCounts counts;
  ++version_;
  {
    BatchOrigins origins(incoming, origins_);
    for (const IncomingTrace& trace : incoming.traces) AddTrace(trace, origins, recent, counts);
  }
  while (IsOverLimit()) {
    CHECK(by_arrival_.size() > 1);  // one trace alone is within the limits: HasRoom
    StoredTrace& oldest = *by_arrival_.front();
    counts.evicted += oldest.spans.size();
    removed.push_back(Remove(oldest));
  }
  return counts;
}

void TraceTable::AddTrace(const IncomingTrace& incoming, BatchOrigins& origins, RecentSpans& recent,
                          AddCounts& counts) {
  StoredTrace& trace = FindOrAddTrace(incoming.id);
  AddSpans(incoming.spans, origins, trace, counts);
  recent.Add(trace.id, block_);
  if (!block_.empty()) {
    TakeBlock(trace);
    trace.version = version_;
    by_arrival_.splice(by_arrival_.end(), by_arrival_, trace.by_arrival);
  } else if (trace.spans.empty()) {
    Remove(trace);
  }
}

void TraceTable::AddSpans(std::span<IncomingSpan> spans, BatchOrigins& origins, StoredTrace& trace, AddCounts& counts) {
  block_.clear();
  added_.clear();
  for (IncomingSpan& span : spans) {
    KnownOrigin& origin = origins.Of(span.origin);
    if (Has(trace, span, *origin.origin)) {
      ++counts.duplicate;
    } else if (!HasRoom(trace, span, origin)) {
      ++counts.refused;
    } else {
      AddSpan(span, origin, trace);
    }
  }
}

bool TraceTable::Has(const StoredTrace& trace, const IncomingSpan& span, const SpanOrigin& origin) const {
  const size_t stored = trace.spans.size();
  return trace.arrivals.Contains(span.content_hash, [&](size_t number) {
    const StoredSpan& other = number < stored ? trace.spans.at(number) : block_[number - stored];
    return other.origin.get() == &origin && other.wire.view() == span.wire.view();
  });
}

StoredTrace& TraceTable::FindOrAddTrace(const otlp::TraceId& id) {
  std::unique_ptr<StoredTrace>& trace = traces_[id];
  if (trace == nullptr) {
    trace = std::make_unique<StoredTrace>(id);
    trace->by_arrival = by_arrival_.insert(by_arrival_.end(), trace.get());
  }
  return *trace;
}

void TraceTable::AddSpan(IncomingSpan& span, KnownOrigin& origin, StoredTrace& trace) {
  if (trace.origins.Insert(&origin)) {
    origins_.Acquire(origin);
    trace.origin_bytes += origin.bytes;
  }
  const size_t bytes = span.wire.size();
  trace.wire_bytes += bytes;
  wire_bytes_ += bytes;
  ++spans_;
  trace.arrivals.Add(span.content_hash);
  added_.push_back(&span);
  block_.push_back({.wire = std::move(span.wire), .origin = origin.origin});
}

void TraceTable::TakeBlock(StoredTrace& trace) {
  if (index_.has_value()) {
    index_->Add(trace, added_);
  } else {
    for (const IncomingSpan* const span : added_) trace.starts.Include(span->start_unix_ns);
  }
  trace.spans.Append(block_);
  trace.row = nullptr;
}

StartRange TraceTable::Starts() const {
  StartRange starts;
  for (const StoredTrace* const trace : by_arrival_) {
    starts.Include(trace->starts.earliest);
    starts.Include(trace->starts.latest);
  }
  return starts;
}

bool TraceTable::HasRoom(const StoredTrace& trace, const IncomingSpan& span, KnownOrigin& origin) const {
  const size_t origin_bytes = trace.origins.Contains(&origin) ? 0 : origin.bytes;
  return trace.arrivals.size() < limits_.spans_max &&
         trace.wire_bytes + trace.origin_bytes + span.wire.size() + origin_bytes <= limits_.bytes_max;
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
    sum.spans += oldest->spans.size();
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
                                         RemovedTraces& removed) {
  const auto found = traces_.find(candidate.id);
  if (found == traces_.end()) return Removed{};  // it went as a whole
  StoredTrace& trace = *found->second;
  // A trace only grows, unless it was purged, or evicted and sent again.
  if (!candidate.spans.IsBeginningOf(trace.spans)) return std::nullopt;
  const uint64_t bytes_before = bytes();
  const std::vector<StoredSpan> left = Without(trace.spans, arrivals);
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
  for (KnownOrigin* const origin : trace.origins) origins_.Release(*origin);
  wire_bytes_ -= trace.wire_bytes;
  spans_ -= trace.spans.size();
  trace.spans = {};
  trace.arrivals = {};
  trace.origins.Clear();
  trace.wire_bytes = 0;
  trace.origin_bytes = 0;
}

// It keeps its place in by_arrival_: nothing new has come.
void TraceTable::Refill(const std::vector<StoredSpan>& spans, StoredTrace& trace) {
  IncomingBatch batch = DescribeStored(trace.id, spans);
  BatchOrigins origins(batch, origins_);
  AddCounts counts;
  AddSpans(batch.spans, origins, trace, counts);
  CHECK(block_.size() == spans.size());  // they were different, and had room
  TakeBlock(trace);
  trace.version = ++version_;
}

std::unique_ptr<StoredTrace> TraceTable::Remove(StoredTrace& trace) {
  if (index_.has_value() && !trace.starts.empty()) index_->Remove(trace);
  for (KnownOrigin* const origin : trace.origins) origins_.Release(*origin);
  wire_bytes_ -= trace.wire_bytes;
  spans_ -= trace.spans.size();
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
