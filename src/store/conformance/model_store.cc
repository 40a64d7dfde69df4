// SPDX-License-Identifier: Apache-2.0

#include "store/conformance/model_store.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "store/span_matcher.h"

namespace spanloom::store {
namespace {

bool AreEqual(const StoredSpan& a, const StoredSpan& b) {
  return a.wire.view() == b.wire.view() && a.origin->resource.view() == b.origin->resource.view() &&
         a.origin->scope.view() == b.origin->scope.view() &&
         a.origin->resource_schema_url == b.origin->resource_schema_url &&
         a.origin->scope_schema_url == b.origin->scope_schema_url;
}

}  // namespace

void ModelStore::Append(otlp::Batch batch, Done done) {
  for (const otlp::Slice& slice : batch.slices()) {
    slice.ForEach([this](const otlp::SpanContext& context) {
      const SpanOrigin origin = {.resource = Bytes::CopyOf(context.resource.wire()),
                                 .scope = Bytes::CopyOf(context.scope.wire()),
                                 .resource_schema_url = std::string(context.resource_schema_url),
                                 .scope_schema_url = std::string(context.scope_schema_url)};
      StoredSpan span = {.wire = Bytes::CopyOf(context.span.wire()),
                         .origin = std::make_shared<const SpanOrigin>(origin)};
      if (Has(span)) {
        ++stats_.spans_duplicate;
      } else {
        traces_[context.span.trace_id()].push_back(std::move(span));
        ++stats_.spans;
      }
    });
  }
  stats_.traces = traces_.size();
  std::move(done)(absl::OkStatus());
}

bool ModelStore::Has(const StoredSpan& span) const {
  const auto trace = traces_.find(span.span().trace_id());
  return trace != traces_.end() && std::any_of(trace->second.begin(), trace->second.end(),
                                               [&](const StoredSpan& other) { return AreEqual(span, other); });
}

StatusOr<Trace> ModelStore::GetTrace(const otlp::TraceId& id) const {
  const auto found = traces_.find(id);
  if (found == traces_.end()) return absl::NotFoundError("trace not found");
  Trace trace = {.id = id, .spans = found->second};
  std::stable_sort(trace.spans.begin(), trace.spans.end(), [](const StoredSpan& a, const StoredSpan& b) {
    return a.span().start_unix_ns() < b.span().start_unix_ns();
  });
  return trace;
}

StatusOr<std::vector<Trace>> ModelStore::FindTraces(const TraceQuery& query) const {
  SpanMatcher matcher(query);
  std::vector<std::pair<uint64_t, otlp::TraceId>> matches;  // latest start of a match
  for (const auto& [id, spans] : traces_) {
    std::optional<uint64_t> latest;
    for (const StoredSpan& span : spans) {
      if (matcher.Matches(span, span.span())) latest = std::max(latest.value_or(0), span.span().start_unix_ns());
    }
    if (latest) matches.emplace_back(*latest, id);
  }
  std::sort(matches.begin(), matches.end(),
            [](const auto& a, const auto& b) { return std::tie(b.first, a.second) < std::tie(a.first, b.second); });
  matches.resize(std::min(matches.size(), query.limit));

  std::vector<Trace> traces;
  for (const auto& [start, id] : matches) traces.push_back(*GetTrace(id));
  return traces;
}

StatusOr<std::vector<std::string>> ModelStore::Services() const {
  std::set<std::string> names;
  for (const auto& [id, spans] : traces_) {
    for (const StoredSpan& span : spans) names.emplace(span.resource().service_name());
  }
  return std::vector<std::string>(names.begin(), names.end());
}

StatusOr<std::vector<Operation>> ModelStore::Operations(const std::string& service) const {
  std::set<Operation> operations;
  for (const auto& [id, spans] : traces_) {
    for (const StoredSpan& span : spans) {
      if (span.resource().service_name() != service) continue;
      operations.insert({.name = std::string(span.span().name()), .kind = span.span().kind()});
    }
  }
  return std::vector<Operation>(operations.begin(), operations.end());
}

StoreStats ModelStore::Stats() const {
  return stats_;
}

}  // namespace spanloom::store
