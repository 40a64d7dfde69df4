// SPDX-License-Identifier: Apache-2.0

#include "store/memory/trace_index.h"

#include <utility>

#include "base/check.h"

namespace spanloom::store::memory {
namespace {

// Widens `range` and moves the trace to its new place in `order`.
void Include(uint64_t start_unix_ns, StoredTrace& trace, StartRange& range, TraceOrder& order) {
  const bool is_new = range.empty();
  const uint64_t latest_before = range.latest;
  range.Include(start_unix_ns);
  if (!is_new && range.latest == latest_before) return;
  if (!is_new) order.erase({.latest_start_unix_ns = latest_before, .id = trace.id});
  order.insert({.latest_start_unix_ns = range.latest, .id = trace.id, .trace = &trace});
}

bool Overlaps(const StartRange& range, const TraceQuery& query) {
  return range.latest >= query.start_min_unix_ns && range.earliest <= query.start_max_unix_ns;
}

// The starts of the spans of `service` in `trace`, of all spans if it is null; nullptr if there are none.
const StartRange* RangeOf(const StoredTrace& trace, ServiceEntry* service) {
  if (service == nullptr) return &trace.starts;
  const auto range = trace.services.find(service);
  return range == trace.services.end() ? nullptr : &range->second;
}

Candidate CandidateOf(const StoredTrace& trace, const StartRange& range) {
  return {.id = trace.id, .latest_start_unix_ns = range.latest, .spans = trace.spans};
}

}  // namespace

void TraceIndex::Add(StoredTrace& trace, const IncomingSpan& span) {
  Include(span.start_unix_ns, trace, trace.starts, all_);
  ServiceEntry& service = FindOrAddService(span.service);
  Include(span.start_unix_ns, trace, trace.services[&service], service.traces);
  AddOperation(trace, service, span);
}

ServiceEntry& TraceIndex::FindOrAddService(std::string_view name) {
  auto service = services_.find(name);
  if (service == services_.end()) {
    service = services_.emplace(name, std::make_unique<ServiceEntry>(std::string(name))).first;
  }
  return *service->second;
}

void TraceIndex::AddOperation(StoredTrace& trace, ServiceEntry& service, const IncomingSpan& span) {
  const auto place = service.operations.try_emplace({.name = std::string(span.operation), .kind = span.kind}).first;
  OperationEntry& entry = place->second;
  entry.service = &service;
  entry.operation = &place->first;
  if (trace.operations.insert(&entry).second) ++entry.traces;
}

void TraceIndex::Remove(StoredTrace& trace) {
  all_.erase({.latest_start_unix_ns = trace.starts.latest, .id = trace.id});
  for (OperationEntry* entry : trace.operations) {
    CHECK(entry->traces > 0);
    if (--entry->traces == 0) entry->service->operations.erase(entry->service->operations.find(*entry->operation));
  }
  for (const auto& [service, range] : trace.services) {
    service->traces.erase({.latest_start_unix_ns = range.latest, .id = trace.id});
    if (service->traces.empty()) services_.erase(services_.find(service->name));
  }
}

ServiceEntry* TraceIndex::FindService(std::string_view name) const {
  const auto service = services_.find(name);
  return service == services_.end() ? nullptr : service->second.get();
}

CandidatePage TraceIndex::Read(const TraceQuery& query, const std::optional<TracePosition>& after,
                               size_t traces_max) const {
  ServiceEntry* const service = query.service ? FindService(*query.service) : nullptr;
  if (query.service && service == nullptr) return {};
  const TraceOrder& order = service == nullptr ? all_ : service->traces;

  CandidatePage page;
  auto position = after ? order.upper_bound(*after) : order.begin();
  for (size_t seen = 0; seen < traces_max; ++seen, ++position) {
    if (position == order.end() || position->latest_start_unix_ns < query.start_min_unix_ns) {
      page.after.reset();
      return page;
    }
    const StartRange* const range = RangeOf(*position->trace, service);
    CHECK(range != nullptr);
    if (Overlaps(*range, query)) page.candidates.push_back(CandidateOf(*position->trace, *range));
    page.after = *position;
  }
  return page;
}

std::optional<Candidate> TraceIndex::Find(const TraceQuery& query, const StoredTrace& trace) const {
  ServiceEntry* const service = query.service ? FindService(*query.service) : nullptr;
  if (query.service && service == nullptr) return std::nullopt;
  const StartRange* const range = RangeOf(trace, service);
  if (range == nullptr || !Overlaps(*range, query)) return std::nullopt;
  return CandidateOf(trace, *range);
}

std::vector<std::string> TraceIndex::Services() const {
  std::vector<std::string> names;
  names.reserve(services_.size());
  for (const auto& [name, service] : services_) names.push_back(name);
  return names;
}

std::vector<Operation> TraceIndex::Operations(const std::string& service) const {
  std::vector<Operation> operations;
  const ServiceEntry* const entry = FindService(service);
  if (entry == nullptr) return operations;
  for (const auto& [operation, uses] : entry->operations) operations.push_back(operation);
  return operations;
}

}  // namespace spanloom::store::memory
