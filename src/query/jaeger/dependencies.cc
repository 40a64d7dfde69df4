// SPDX-License-Identifier: Apache-2.0

#include "query/jaeger/dependencies.h"

#include <absl/container/flat_hash_map.h>

#include <map>
#include <string_view>
#include <utility>

namespace spanloom::query::jaeger {
namespace {

using CallCounts = std::map<std::pair<std::string, std::string>, uint64_t>;  // parent and child service

void CountCalls(const store::Trace& trace, CallCounts& calls) {
  absl::flat_hash_map<otlp::SpanId, std::string_view> services;
  for (const store::StoredSpan& span : trace.spans) {
    services.emplace(span.span().span_id(), span.resource().service_name());
  }
  for (const store::StoredSpan& span : trace.spans) {
    const otlp::SpanId parent = span.span().parent_span_id();
    if (parent.IsZero()) continue;
    const auto caller = services.find(parent);
    if (caller == services.end()) continue;
    ++calls[{std::string(caller->second), std::string(span.resource().service_name())}];
  }
}

}  // namespace

std::vector<Dependency> CountDependencies(const std::vector<store::Trace>& traces) {
  CallCounts calls;
  for (const store::Trace& trace : traces) CountCalls(trace, calls);
  std::vector<Dependency> dependencies;
  for (const auto& [services, count] : calls) {
    dependencies.push_back({.parent = services.first, .child = services.second, .calls = count});
  }
  return dependencies;
}

}  // namespace spanloom::query::jaeger
