// SPDX-License-Identifier: Apache-2.0

#include "store/head/incoming.h"

#include <absl/container/flat_hash_map.h>
#include <absl/hash/hash.h>

#include <string>
#include <utility>

#include "base/text.h"

namespace spanloom::store::head {
namespace {

using otlp::ResourceSpansView;
using otlp::ScopeSpansView;
using otlp::SpanView;

// A span that still lies in its request.
struct FoundSpan {
  std::string_view wire;
  std::string_view operation;  // views wire, or is empty
  otlp::SpanKind kind = otlp::SpanKind::kUnspecified;
  uint64_t start_unix_ns = 0;
  std::shared_ptr<const SpanOrigin> origin;
};

struct FoundTrace {
  otlp::TraceId id;
  std::vector<FoundSpan> spans;
};

// Groups the spans of one request after the other.
class Grouping {
 public:
  void AddRequest(std::string_view request) {
    for (const ResourceSpansView resource_spans : otlp::TracesView(request).resource_spans()) {
      // Once a resource, not once a scope: a request may have one large resource and very many scopes.
      const SpanOrigin origin = {.resource = Bytes::CopyOf(resource_spans.resource().wire()),
                                 .scope = {},
                                 .resource_schema_url = std::string(resource_spans.schema_url()),
                                 .scope_schema_url = {}};
      for (const ScopeSpansView scope_spans : resource_spans.scope_spans()) AddScope(origin, scope_spans);
    }
  }

  std::vector<FoundTrace> Take() && { return std::move(traces_); }

 private:
  void AddScope(SpanOrigin origin, const ScopeSpansView& scope_spans) {
    if (scope_spans.spans().empty()) return;
    origin.scope = Bytes::CopyOf(scope_spans.scope().wire());
    origin.scope_schema_url = scope_spans.schema_url();
    const auto shared = std::make_shared<const SpanOrigin>(std::move(origin));
    for (const SpanView span : scope_spans.spans()) {
      TraceOf(span.trace_id())
          .spans.push_back({.wire = span.wire(),
                            .operation = span.name(),
                            .kind = span.kind(),
                            .start_unix_ns = span.start_unix_ns(),
                            .origin = shared});
    }
  }

  FoundTrace& TraceOf(const otlp::TraceId& id) {
    const auto [position, is_new] = positions_.try_emplace(id, traces_.size());
    if (is_new) traces_.push_back({.id = id, .spans = {}});
    return traces_[position->second];
  }

  std::vector<FoundTrace> traces_;                        // by first span
  absl::flat_hash_map<otlp::TraceId, size_t> positions_;  // in traces_
};

uint64_t HashOf(std::string_view wire) {
  return absl::HashOf(AbslView(wire));
}

// All spans' bytes in one allocation: they come and go together, as the trace does.
Bytes CopyWires(const std::vector<FoundSpan>& spans) {
  size_t size = 0;
  for (const FoundSpan& span : spans) size += span.wire.size();
  std::string wires;
  wires.reserve(size);
  for (const FoundSpan& span : spans) wires += span.wire;
  return Bytes(std::move(wires));
}

IncomingTrace CopyOut(FoundTrace& found) {
  IncomingTrace trace = {.id = found.id, .spans = {}};
  trace.spans.reserve(found.spans.size());
  const Bytes wires = CopyWires(found.spans);
  const SpanOrigin* last_origin = nullptr;
  std::string_view service;
  size_t offset = 0;
  for (FoundSpan& span : found.spans) {
    if (span.origin.get() != last_origin) {
      last_origin = span.origin.get();
      service = otlp::ResourceView(last_origin->resource.view()).service_name();
    }
    Bytes wire = wires.Slice(wires.view().substr(offset, span.wire.size()));
    offset += span.wire.size();
    const std::string_view operation =
        span.operation.empty()
            ? std::string_view()
            : wire.view().substr(static_cast<size_t>(span.operation.data() - span.wire.data()), span.operation.size());
    const uint64_t content_hash = HashOf(wire.view());
    trace.spans.push_back({.stored = {.wire = std::move(wire), .origin = std::move(span.origin)},
                           .content_hash = content_hash,
                           .service = service,
                           .operation = operation,
                           .kind = span.kind,
                           .start_unix_ns = span.start_unix_ns});
  }
  return trace;
}

}  // namespace

IncomingSpan Describe(StoredSpan stored, std::string_view service) {
  const SpanView view = stored.span();
  IncomingSpan span = {.stored = std::move(stored),
                       .content_hash = HashOf(view.wire()),
                       .service = service,
                       .operation = view.name(),
                       .kind = view.kind(),
                       .start_unix_ns = view.start_unix_ns()};
  return span;
}

std::vector<IncomingTrace> SplitByTrace(const otlp::Batch& batch) {
  Grouping grouping;
  std::vector<Bytes> requests;  // kept until the spans are copied out
  for (const otlp::Slice& slice : batch.slices()) {
    if (slice.span_count() == 0) continue;
    requests.push_back(otlp::Batch(slice).Encode());
    grouping.AddRequest(requests.back().view());
  }
  std::vector<FoundTrace> found = std::move(grouping).Take();
  std::vector<IncomingTrace> traces;
  traces.reserve(found.size());
  for (FoundTrace& trace : found) traces.push_back(CopyOut(trace));
  return traces;
}

}  // namespace spanloom::store::head
