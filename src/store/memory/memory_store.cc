// SPDX-License-Identifier: Apache-2.0

#include "store/memory/memory_store.h"

#include <limits>
#include <utility>

#include "base/check.h"
#include "base/mutex.h"
#include "base/text.h"
#include "store/memory/trace_search.h"

namespace spanloom::store::memory {
namespace {

constexpr size_t kPageTraces = 512;  // read under one lock: about 50 µs; guess

constexpr std::string_view kSpansGauge = "spanloom_store_spans";
constexpr std::string_view kTracesGauge = "spanloom_store_traces";
constexpr std::string_view kBytesGauge = "spanloom_store_bytes";

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

}  // namespace

Status MemoryStoreOptions::Validate() const {
  if (traces_max == 0 || spans_max == 0 || bytes_max == 0) {
    return absl::InvalidArgumentError("traces_max, spans_max and bytes_max must be positive");
  }
  if (spans_max > std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError(
        StrCat("spans_max is ", spans_max, "; it must be at most ", std::numeric_limits<uint32_t>::max()));
  }
  return absl::OkStatus();
}

MemoryStore::MemoryStore(const MemoryStoreOptions& options, MetricRegistry& metrics)
    : options_(options),
      metrics_(metrics),
      spans_evicted_(metrics.GetCounter("spanloom_store_evicted_spans",
                                        "Spans removed from the store to stay within its limits.")),
      spans_duplicate_(
          metrics.GetCounter("spanloom_store_duplicate_spans", "Spans that were delivered again with the same bytes.")),
      spans_refused_(metrics.GetCounter("spanloom_store_refused_spans", "Spans that the store did not take.",
                                        {{"cause", "trace_too_large"}})) {
  CHECK(options.Validate().ok());
  RegisterGauges();
}

MemoryStore::~MemoryStore() {
  for (const std::string_view gauge : {kSpansGauge, kTracesGauge, kBytesGauge}) metrics_.RemoveGauge(gauge, {});
}

void MemoryStore::RegisterGauges() {
  const auto stat = [this](uint64_t StoreStats::*field) {
    return [this, field] { return static_cast<double>(Stats().*field); };
  };
  metrics_.SetGauge(kSpansGauge, "Spans stored.", {}, stat(&StoreStats::spans));
  metrics_.SetGauge(kTracesGauge, "Traces stored.", {}, stat(&StoreStats::traces));
  metrics_.SetGauge(kBytesGauge, "Bytes of the stored spans' messages, their origins counted once.", {},
                    stat(&StoreStats::bytes));
}

void MemoryStore::Append(otlp::Batch batch, Done done) {
  const std::vector<IncomingTrace> incoming = SplitByTrace(batch);
  size_t refused = 0;
  Evicted evicted;
  {
    const MutexLock lock(mutex_);
    ++appends_;
    for (const IncomingTrace& trace : incoming) refused += AddTrace(trace);
    evicted = Evict();
  }
  std::move(done)(refused == 0 ? absl::OkStatus() : RefusalOf(refused, batch.span_count()));
}

size_t MemoryStore::AddTrace(const IncomingTrace& incoming) {
  StoredTrace& trace = FindOrAddTrace(incoming.id);
  TraceSpans::Block block;
  size_t refused = 0;
  for (const IncomingSpan& span : incoming.spans) {
    std::shared_ptr<const SpanOrigin> origin = origins_.Find(span.stored.origin);
    const ArrivalPlace place = FindPlace(span, origin.get(), trace, block);
    if (place.is_taken) {
      spans_duplicate_.Add(1);
    } else if (!HasRoom(trace, span, *origin)) {
      ++refused;
    } else {
      trace.arrivals.emplace(place.hash, trace.arrivals.size());
      AddSpan(span, std::move(origin), trace, block);
    }
  }
  spans_refused_.Add(refused);
  if (!block.empty()) {
    trace.spans = std::make_shared<const TraceSpans>(*trace.spans, std::move(block));
    Touch(trace);
  } else if (trace.spans->empty()) {
    Remove(trace);
  }
  return refused;
}

StoredTrace& MemoryStore::FindOrAddTrace(const otlp::TraceId& id) {
  std::unique_ptr<StoredTrace>& trace = traces_[id];
  if (trace == nullptr) {
    trace = std::make_unique<StoredTrace>(id);
    trace->by_arrival = by_arrival_.insert(by_arrival_.end(), trace.get());
  }
  return *trace;
}

void MemoryStore::AddSpan(const IncomingSpan& span, std::shared_ptr<const SpanOrigin> origin, StoredTrace& trace,
                          TraceSpans::Block& block) {
  if (trace.origins.insert(origin.get()).second) {
    origins_.Acquire(origin);
    trace.origin_bytes += OriginBytes(*origin);
  }
  index_.Add(trace, span);
  trace.wire_bytes += span.stored.wire.size();
  wire_bytes_ += span.stored.wire.size();
  ++spans_;
  block.push_back({.wire = span.stored.wire, .origin = std::move(origin)});
}

void MemoryStore::Touch(StoredTrace& trace) {
  trace.last_append = appends_;
  by_arrival_.splice(by_arrival_.end(), by_arrival_, trace.by_arrival);
}

bool MemoryStore::HasRoom(const StoredTrace& trace, const IncomingSpan& span, const SpanOrigin& origin) const {
  const size_t origin_bytes = trace.origins.contains(&origin) ? 0 : OriginBytes(origin);
  return trace.arrivals.size() < options_.spans_max &&
         trace.wire_bytes + trace.origin_bytes + span.stored.wire.size() + origin_bytes <= options_.bytes_max;
}

bool MemoryStore::IsOverLimit() const {
  return traces_.size() > options_.traces_max || spans_ > options_.spans_max ||
         wire_bytes_ + origins_.bytes() > options_.bytes_max;
}

MemoryStore::Evicted MemoryStore::Evict() {
  Evicted evicted;
  while (IsOverLimit()) {
    CHECK(by_arrival_.size() > 1);  // one trace alone is within the limits: HasRoom
    StoredTrace& oldest = *by_arrival_.front();
    spans_evicted_.Add(oldest.spans->size());
    evicted.push_back(Remove(oldest));
  }
  return evicted;
}

std::unique_ptr<StoredTrace> MemoryStore::Remove(StoredTrace& trace) {
  if (!trace.starts.empty()) index_.Remove(trace);
  for (const SpanOrigin* origin : trace.origins) origins_.Release(*origin);
  wire_bytes_ -= trace.wire_bytes;
  spans_ -= trace.spans->size();
  by_arrival_.erase(trace.by_arrival);
  const auto owner = traces_.find(trace.id);
  std::unique_ptr<StoredTrace> removed = std::move(owner->second);
  traces_.erase(owner);
  return removed;
}

Status MemoryStore::RefusalOf(size_t refused, size_t total) const {
  return absl::ResourceExhaustedError(StrCat("memory store: ", refused, " of ", total,
                                             " spans refused: their trace alone would exceed ", options_.bytes_max,
                                             " bytes or ", options_.spans_max, " spans; raise bytes_max or spans_max"));
}

StatusOr<Trace> MemoryStore::GetTrace(const otlp::TraceId& id) const {
  std::shared_ptr<const TraceSpans> spans;
  {
    const MutexLock lock(mutex_);
    const auto trace = traces_.find(id);
    if (trace == traces_.end()) return absl::NotFoundError("trace not found");
    spans = trace->second->spans;
  }
  return Trace{.id = id, .spans = spans->ByStart()};
}

StatusOr<std::vector<Trace>> MemoryStore::FindTraces(const TraceQuery& query) const {
  TraceSearch search(query);
  uint64_t begun = 0;
  std::optional<TracePosition> after;
  do {
    CandidatePage page;
    {
      const MutexLock lock(mutex_);
      if (!after) begun = appends_;
      page = index_.Read(query, after, kPageTraces);
    }
    for (const Candidate& candidate : page.candidates) search.Consider(candidate);
    after = page.after;
  } while (after && !search.IsCompleteAt(after->latest_start_unix_ns));
  // A trace that got a newer span meanwhile has moved to a place that was already read.
  for (const Candidate& candidate : AddedSince(query, begun)) search.Consider(candidate);
  return search.Take();
}

std::vector<Candidate> MemoryStore::AddedSince(const TraceQuery& query, uint64_t append) const {
  std::vector<Candidate> candidates;
  const MutexLock lock(mutex_);
  for (auto trace = by_arrival_.rbegin(); trace != by_arrival_.rend() && (*trace)->last_append > append; ++trace) {
    if (auto candidate = index_.Find(query, **trace)) candidates.push_back(*std::move(candidate));
  }
  return candidates;
}

StatusOr<std::vector<std::string>> MemoryStore::Services() const {
  const MutexLock lock(mutex_);
  return index_.Services();
}

StatusOr<std::vector<Operation>> MemoryStore::Operations(const std::string& service) const {
  const MutexLock lock(mutex_);
  return index_.Operations(service);
}

StoreStats MemoryStore::Stats() const {
  const MutexLock lock(mutex_);
  return {.traces = traces_.size(),
          .spans = spans_,
          .bytes = wire_bytes_ + origins_.bytes(),
          .spans_evicted = spans_evicted_.value(),
          .spans_duplicate = spans_duplicate_.value()};
}

void MemoryStore::ForEachTrace(absl::FunctionRef<void(const TraceSpans&)> visit) const {
  std::vector<std::shared_ptr<const TraceSpans>> traces;
  {
    const MutexLock lock(mutex_);
    traces.reserve(by_arrival_.size());
    for (const StoredTrace* trace : by_arrival_) traces.push_back(trace->spans);
  }
  for (const auto& spans : traces) visit(*spans);
}

}  // namespace spanloom::store::memory
