// SPDX-License-Identifier: Apache-2.0

#include "store/head/incoming.h"

#include <absl/container/flat_hash_map.h>
#include <absl/hash/hash.h>

#include <span>
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
  uint32_t trace = 0;   // number in Grouping::traces
  uint32_t origin = 0;  // number in Grouping::origins
};

struct FoundTrace {
  otlp::TraceId id;
  uint32_t spans = 0;
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

  [[nodiscard]] const std::vector<FoundTrace>& traces() const { return traces_; }  // by first span
  [[nodiscard]] const std::vector<std::shared_ptr<const SpanOrigin>>& origins() const { return origins_; }
  // Trace by trace, the spans of each as they came.
  [[nodiscard]] std::vector<const FoundSpan*> ByTrace() const {
    std::vector<size_t> next(traces_.size());
    size_t begin = 0;
    for (size_t i = 0; i < traces_.size(); ++i) {
      next[i] = begin;
      begin += traces_[i].spans;
    }
    std::vector<const FoundSpan*> spans(spans_.size());
    for (const FoundSpan& span : spans_) spans[next[span.trace]++] = &span;
    return spans;
  }

 private:
  void AddScope(SpanOrigin origin, const ScopeSpansView& scope_spans) {
    if (scope_spans.spans().empty()) return;
    origin.scope = Bytes::CopyOf(scope_spans.scope().wire());
    origin.scope_schema_url = scope_spans.schema_url();
    origins_.push_back(std::make_shared<const SpanOrigin>(std::move(origin)));
    for (const SpanView span : scope_spans.spans()) {
      spans_.push_back({.wire = span.wire(),
                        .operation = span.name(),
                        .kind = span.kind(),
                        .start_unix_ns = span.start_unix_ns(),
                        .trace = NumberOf(span.trace_id()),
                        .origin = static_cast<uint32_t>(origins_.size() - 1)});
    }
  }

  // Of the trace; counts one span more.
  uint32_t NumberOf(const otlp::TraceId& id) {
    const auto [position, is_new] = numbers_.try_emplace(id, static_cast<uint32_t>(traces_.size()));
    if (is_new) traces_.push_back({.id = id});
    ++traces_[position->second].spans;
    return position->second;
  }

  std::vector<FoundSpan> spans_;
  std::vector<std::shared_ptr<const SpanOrigin>> origins_;
  std::vector<FoundTrace> traces_;
  absl::flat_hash_map<otlp::TraceId, uint32_t> numbers_;  // in traces_
};

uint64_t HashOf(std::string_view wire) {
  return absl::HashOf(AbslView(wire));
}

// All spans' bytes in one allocation: they come and go together, as the trace does.
Bytes CopyWires(std::span<const FoundSpan* const> spans) {
  size_t size = 0;
  for (const FoundSpan* const span : spans) size += span->wire.size();
  std::string wires;
  wires.reserve(size);
  for (const FoundSpan* const span : spans) wires += span->wire;
  return Bytes(std::move(wires));
}

// Where `part`, which views `from`, lies in the copy `to`.
std::string_view Moved(std::string_view part, std::string_view from, std::string_view to) {
  return part.empty() ? std::string_view() : to.substr(static_cast<size_t>(part.data() - from.data()), part.size());
}

IncomingTrace CopyOut(const otlp::TraceId& id, std::span<const FoundSpan* const> found, const Grouping& grouping) {
  IncomingTrace trace = {.id = id, .spans = {}};
  trace.spans.reserve(found.size());
  const Bytes wires = CopyWires(found);
  const SpanOrigin* last_origin = nullptr;
  std::string_view service;
  size_t offset = 0;
  for (const FoundSpan* const span : found) {
    const std::shared_ptr<const SpanOrigin>& origin = grouping.origins()[span->origin];
    if (origin.get() != last_origin) {
      last_origin = origin.get();
      service = otlp::ResourceView(last_origin->resource.view()).service_name();
    }
    Bytes wire = wires.Slice(wires.view().substr(offset, span->wire.size()));
    offset += span->wire.size();
    const uint64_t content_hash = HashOf(wire.view());
    const std::string_view operation = Moved(span->operation, span->wire, wire.view());
    trace.spans.push_back({.stored = {.wire = std::move(wire), .origin = origin},
                           .content_hash = content_hash,
                           .service = service,
                           .operation = operation,
                           .kind = span->kind,
                           .start_unix_ns = span->start_unix_ns});
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
  const std::vector<const FoundSpan*> found = grouping.ByTrace();
  std::vector<IncomingTrace> traces;
  traces.reserve(grouping.traces().size());
  std::span<const FoundSpan* const> left(found);
  for (const FoundTrace& trace : grouping.traces()) {
    traces.push_back(CopyOut(trace.id, left.first(trace.spans), grouping));
    left = left.subspan(trace.spans);
  }
  return traces;
}

}  // namespace spanloom::store::head
