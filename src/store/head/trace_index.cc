// SPDX-License-Identifier: Apache-2.0

#include "store/head/trace_index.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace spanloom::store::head {
namespace {

StartRange RangeOf(std::span<const IncomingSpan* const> spans) {
  StartRange range;
  for (const IncomingSpan* const span : spans) range.Include(span->start_unix_ns);
  return range;
}

// Widens `range` and moves the trace to its new place in `order`.
void Include(const StartRange& added, StoredTrace& trace, StartRange& range, TraceOrder& order) {
  const bool is_new = range.empty();
  const uint64_t latest_before = range.latest;
  range.Include(added.earliest);
  range.Include(added.latest);
  if (!is_new && range.latest == latest_before) return;
  if (!is_new) order.erase({.position = {.latest_start_unix_ns = latest_before, .id = trace.id}});
  order.insert({.position = {.latest_start_unix_ns = range.latest, .id = trace.id}, .trace = &trace});
}

// The starts of the spans of `service` in `trace`, of all spans if it is null; nullptr if there are none.
const StartRange* RangeOf(const StoredTrace& trace, ServiceEntry* service) {
  if (service == nullptr) return &trace.starts;
  const auto use = trace.services.find(service);
  return use == trace.services.end() ? nullptr : &use->second.starts;
}

Candidate CandidateOf(const StoredTrace& trace, const StartRange& range) {
  return {.id = trace.id,
          .latest_start_unix_ns = range.latest,
          .spans = trace.spans,
          .version = trace.version,
          .row = trace.row,
          .requests = trace.requests};
}

}  // namespace

void TraceIndex::Add(StoredTrace& trace, std::span<const IncomingSpan* const> spans) {
  const StartRange added = RangeOf(spans);
  if (trace.starts.empty()) {
    first_starts_.insert(added.earliest);
  } else if (added.earliest < trace.starts.earliest) {
    first_starts_.erase(first_starts_.find(trace.starts.earliest));
    first_starts_.insert(added.earliest);
  }
  Include(added, trace, trace.starts, all_);
  // Neighbours are mostly of one service.
  while (!spans.empty()) {
    const auto end =
        std::ranges::find_if(spans, [&](const IncomingSpan* span) { return span->service != spans.front()->service; });
    const auto run = spans.first(static_cast<size_t>(end - spans.begin()));
    AddToService(trace, FindOrAddService(run.front()->service), run);
    spans = spans.subspan(run.size());
  }
}

void TraceIndex::AddToService(StoredTrace& trace, ServiceEntry& service, std::span<const IncomingSpan* const> spans) {
  ServiceUse& use = trace.services[&service];
  Include(RangeOf(spans), trace, use.starts, service.traces);
  use.spans += spans.size();
  service.spans += spans.size();
  for (const IncomingSpan* const span : spans) AddOperation(trace, service, *span);
}

ServiceEntry& TraceIndex::FindOrAddService(std::string_view name) {
  auto service = services_.find(name);
  if (service == services_.end()) {
    service = services_.emplace(name, std::make_unique<ServiceEntry>(std::string(name))).first;
  }
  return *service->second;
}

void TraceIndex::AddOperation(StoredTrace& trace, ServiceEntry& service, const IncomingSpan& span) {
  auto place = service.operations.find(OperationLess::View(span.operation, span.kind));
  if (place == service.operations.end()) {
    place = service.operations.try_emplace({.name = std::string(span.operation), .kind = span.kind}).first;
  }
  OperationEntry& entry = place->second;
  entry.service = &service;
  entry.operation = &place->first;
  ++entry.spans;
  ++trace.operations[&entry];
}

void TraceIndex::Remove(StoredTrace& trace) {
  first_starts_.erase(first_starts_.find(trace.starts.earliest));
  all_.erase({.position = {.latest_start_unix_ns = trace.starts.latest, .id = trace.id}});
  for (const auto& [entry, spans] : trace.operations) {
    CHECK(entry->spans >= spans);
    entry->spans -= spans;
    if (entry->spans == 0) entry->service->operations.erase(entry->service->operations.find(*entry->operation));
  }
  for (const auto& [service, use] : trace.services) {
    service->spans -= use.spans;
    service->traces.erase({.position = {.latest_start_unix_ns = use.starts.latest, .id = trace.id}});
    if (service->traces.empty()) services_.erase(services_.find(service->name));
  }
  trace.starts = {};
  trace.services.clear();
  trace.operations.clear();
}

ServiceEntry* TraceIndex::FindService(std::string_view name) const {
  const auto service = services_.find(name);
  return service == services_.end() ? nullptr : service->second.get();
}

bool TraceIndex::HasServices(const CandidateQuery& query, const StoredTrace& trace) const {
  const auto has_service = [&](const std::string& name) {
    ServiceEntry* const service = FindService(name);
    return service != nullptr && trace.services.contains(service);
  };
  if (query.services.empty()) return true;
  return query.needs_all_services ? std::all_of(query.services.begin(), query.services.end(), has_service)
                                  : std::any_of(query.services.begin(), query.services.end(), has_service);
}

CandidatePage TraceIndex::Read(const CandidateQuery& query, const std::optional<FetchPosition>& after,
                               size_t traces_max) const {
  ServiceEntry* const service = query.only_service ? FindService(*query.only_service) : nullptr;
  if (query.only_service && service == nullptr) return {};
  const TraceOrder& order = service == nullptr ? all_ : service->traces;

  CandidatePage page;
  auto next = after ? order.upper_bound({.position = *after}) : order.begin();
  for (size_t seen = 0; seen < traces_max; ++seen, ++next) {
    if (next == order.end() || next->position.latest_start_unix_ns < query.starts.begin_unix_ns) {
      page.after.reset();
      return page;
    }
    if (auto candidate = Find(query, *next->trace)) page.candidates.push_back(*std::move(candidate));
    page.after = next->position;
  }
  return page;
}

std::optional<Candidate> TraceIndex::Find(const CandidateQuery& query, const StoredTrace& trace) const {
  ServiceEntry* const service = query.only_service ? FindService(*query.only_service) : nullptr;
  if (query.only_service && service == nullptr) return std::nullopt;
  const StartRange* const range = RangeOf(trace, service);
  if (range == nullptr || !range->Overlaps(query.starts)) return std::nullopt;
  if (service == nullptr && !HasServices(query, trace)) return std::nullopt;
  return CandidateOf(trace, *range);
}

Status TraceIndex::CountServices(scan::ServiceCounts& counts) const {
  for (const auto& [name, service] : services_) RETURN_IF_ERROR(counts.AddSpans(name, service->spans));
  return absl::OkStatus();
}

Status TraceIndex::CountOperations(const std::string& service, scan::OperationCounts& counts) const {
  const ServiceEntry* const entry = FindService(service);
  if (entry == nullptr) return absl::OkStatus();
  for (const auto& [operation, uses] : entry->operations) {
    RETURN_IF_ERROR(counts.AddSpans(operation.name, operation.kind, uses.spans));
  }
  return absl::OkStatus();
}

}  // namespace spanloom::store::head
