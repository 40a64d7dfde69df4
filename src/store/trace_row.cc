// SPDX-License-Identifier: Apache-2.0

#include "store/trace_row.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace spanloom::store {

void TraceRowBuilder::Add(const StoredSpan& span, const otlp::SpanView& view) {
  ServiceSpans& service = ServiceOf(span);
  if (row_.spans == 0) row_.start_unix_ns = view.start_unix_ns();
  row_.end_unix_ns = std::max(row_.end_unix_ns, view.end_unix_ns());
  ++row_.spans;
  ++service.spans;
  if (view.status_code() == otlp::StatusCode::kError) {
    ++row_.errors;
    ++service.errors;
  }
  ids_.insert(view.span_id());
  if (!view.parent_span_id().IsZero()) {
    parent_ids_.push_back(view.parent_span_id());
  } else if (!row_.root_name) {
    row_.root_service = service.service;
    row_.root_name = view.name();
  }
}

ServiceSpans& TraceRowBuilder::ServiceOf(const StoredSpan& span) {
  if (span.origin != last_origin_) {
    last_origin_ = span.origin;
    const std::string_view name = span.resource().service_name();
    auto service = services_.find(name);
    if (service == services_.end()) {
      service = services_.emplace(name, ServiceSpans{.service = std::string(name)}).first;
    }
    last_service_ = &service->second;
  }
  return *last_service_;
}

TraceRow TraceRowBuilder::Finish(uint64_t version) && {
  CHECK(row_.spans > 0);
  ids_.erase(otlp::SpanId());  // a zero id is nobody's parent
  row_.end_unix_ns = std::max(row_.end_unix_ns, row_.start_unix_ns);
  row_.orphans = static_cast<uint32_t>(
      std::count_if(parent_ids_.begin(), parent_ids_.end(), [this](const auto& id) { return !ids_.contains(id); }));
  for (auto& [name, service] : services_) row_.services.push_back(std::move(service));
  row_.version = version;
  return std::move(row_);
}

TraceRow Summarize(const Trace& trace, uint64_t version) {
  TraceRowBuilder builder(trace.id);
  for (const StoredSpan& span : trace.spans) builder.Add(span, span.span());
  return std::move(builder).Finish(version);
}

}  // namespace spanloom::store
