// SPDX-License-Identifier: Apache-2.0

#include "store/head/incoming.h"

#include <absl/container/flat_hash_map.h>
#include <absl/hash/hash.h>

#include <string>
#include <utility>

#include "base/text.h"
#include "otlp/fields.h"
#include "otlp/wire/cursor.h"

namespace spanloom::store::head {
namespace {

using otlp::SpanView;
using otlp::wire::Cursor;
namespace field = otlp::field;

// A span that still lies in its request.
struct FoundSpan {
  std::string_view wire;
  std::string_view operation;  // views wire, or is empty
  uint64_t start_unix_ns = 0;
  otlp::SpanKind kind = otlp::SpanKind::kUnspecified;
  uint32_t trace = 0;   // number in Grouping::traces_
  uint32_t origin = 0;  // number in Grouping::origins_
};

struct FoundTrace {
  otlp::TraceId id;
  uint32_t spans = 0;
};

// Where `part`, which views `from`, lies in the copy `to`.
std::string_view Moved(std::string_view part, std::string_view from, std::string_view to) {
  return part.empty() ? std::string_view() : to.substr(static_cast<size_t>(part.data() - from.data()), part.size());
}

std::string_view ServiceOf(const SpanOrigin& origin) {
  return otlp::ResourceView(origin.resource.view()).service_name();
}

// The bytes of a trace's spans in one allocation: they come and go together, as the trace does.
void CopyTogether(std::span<IncomingSpan> spans) {
  size_t size = 0;
  for (const IncomingSpan& span : spans) size += span.wire.size();
  std::string content;
  content.reserve(size);
  for (const IncomingSpan& span : spans) content += span.wire.view();
  const Bytes wires(std::move(content));
  size_t offset = 0;
  for (IncomingSpan& span : spans) {
    Bytes wire = wires.Slice(wires.view().substr(offset, span.wire.size()));
    offset += wire.size();
    span.operation = Moved(span.operation, span.wire.view(), wire.view());
    span.wire = std::move(wire);
  }
}

// Groups the spans of one request after the other.
class Grouping {
 public:
  void AddRequest(const Bytes& request) {
    requests_.push_back({.bytes = request, .first_span = spans_.size()});
    for (Cursor cursor(request.view()); cursor.Next();) {
      if (cursor.field() == field::Request::kResourceSpans) AddResource(cursor.bytes());
    }
  }

  IncomingBatch Take() {
    IncomingBatch batch;
    batch.spans.resize(spans_.size());
    std::vector<size_t> next(traces_.size());
    size_t begin = 0;
    for (size_t i = 0; i < traces_.size(); ++i) {
      next[i] = begin;
      batch.traces.push_back({.id = traces_[i].id, .spans = std::span(batch.spans).subspan(begin, traces_[i].spans)});
      begin += traces_[i].spans;
    }
    for (size_t i = 0; i < requests_.size(); ++i) {
      const size_t end = i + 1 < requests_.size() ? requests_[i + 1].first_span : spans_.size();
      for (size_t span = requests_[i].first_span; span < end; ++span) {
        batch.spans[next[spans_[span].trace]++] = Described(spans_[span], requests_[i].bytes);
      }
    }
    batch.origins = std::move(origins_);
    return batch;
  }

 private:
  struct Request {
    Bytes bytes;
    size_t first_span = 0;
  };

  [[nodiscard]] IncomingSpan Described(const FoundSpan& span, const Bytes& request) const {
    return {.wire = request.Slice(span.wire),
            .content_hash = ContentHash(span.wire),
            .service = services_[span.origin],
            .operation = span.operation,
            .start_unix_ns = span.start_unix_ns,
            .kind = span.kind,
            .origin = span.origin};
  }

  void AddResource(std::string_view resource_spans) {
    using ResourceSpans = field::ResourceSpans;
    std::string_view resource;
    std::string_view schema_url;
    for (Cursor cursor(resource_spans); cursor.Next();) {
      if (cursor.field() == ResourceSpans::kResource) resource = cursor.bytes();
      if (cursor.field() == ResourceSpans::kSchemaUrl) schema_url = cursor.bytes();
    }
    // Copied once a resource, not once a scope: a request may have one large resource and very many scopes.
    const SpanOrigin origin = {.resource = Bytes::CopyOf(resource),
                               .scope = {},
                               .resource_schema_url = std::string(schema_url),
                               .scope_schema_url = {}};
    for (Cursor cursor(resource_spans); cursor.Next();) {
      if (cursor.field() == ResourceSpans::kScopeSpans) AddScope(origin, cursor.bytes());
    }
  }

  // Reads the message once: to step from span to span is to wait for memory.
  void AddScope(const SpanOrigin& of_resource, std::string_view scope_spans) {
    using ScopeSpans = field::ScopeSpans;
    const size_t spans_before = spans_.size();
    std::string_view scope;
    std::string_view schema_url;
    for (Cursor cursor(scope_spans); cursor.Next();) {
      if (cursor.field() == ScopeSpans::kSpans) AddSpan(SpanView(cursor.bytes()));
      if (cursor.field() == ScopeSpans::kScope) scope = cursor.bytes();
      if (cursor.field() == ScopeSpans::kSchemaUrl) schema_url = cursor.bytes();
    }
    if (spans_.size() == spans_before) return;
    SpanOrigin origin = of_resource;
    origin.scope = Bytes::CopyOf(scope);
    origin.scope_schema_url = schema_url;
    origins_.push_back(std::make_shared<const SpanOrigin>(std::move(origin)));
    services_.push_back(ServiceOf(*origins_.back()));
  }

  void AddSpan(const SpanView& span) {
    spans_.push_back({.wire = span.wire(),
                      .operation = span.name(),
                      .start_unix_ns = span.start_unix_ns(),
                      .kind = span.kind(),
                      .trace = NumberOf(span.trace_id()),
                      .origin = static_cast<uint32_t>(origins_.size())});
  }

  // Of the trace; counts one span more. Neighbours are often of one.
  uint32_t NumberOf(const otlp::TraceId& id) {
    const bool is_as_before = !spans_.empty() && traces_[spans_.back().trace].id == id;
    const uint32_t number = is_as_before ? spans_.back().trace : Find(id);
    ++traces_[number].spans;
    return number;
  }

  uint32_t Find(const otlp::TraceId& id) {
    const auto [position, is_new] = numbers_.try_emplace(id, static_cast<uint32_t>(traces_.size()));
    if (is_new) traces_.push_back({.id = id});
    return position->second;
  }

  std::vector<Request> requests_;
  std::vector<FoundSpan> spans_;
  std::vector<std::shared_ptr<const SpanOrigin>> origins_;
  std::vector<std::string_view> services_;  // [origins]
  std::vector<FoundTrace> traces_;
  absl::flat_hash_map<otlp::TraceId, uint32_t> numbers_;  // in traces_
};

}  // namespace

uint64_t ContentHash(std::string_view wire) {
  return absl::HashOf(AbslView(wire));
}

IncomingBatch DescribeStored(const otlp::TraceId& id, std::span<const StoredSpan> spans) {
  IncomingBatch batch;
  for (const StoredSpan& stored : spans) {
    if (batch.origins.empty() || batch.origins.back() != stored.origin) batch.origins.push_back(stored.origin);
    const SpanView view = stored.span();
    batch.spans.push_back({.wire = stored.wire,
                           .content_hash = ContentHash(stored.wire.view()),
                           .service = ServiceOf(*stored.origin),
                           .operation = view.name(),
                           .start_unix_ns = view.start_unix_ns(),
                           .kind = view.kind(),
                           .origin = static_cast<uint32_t>(batch.origins.size() - 1)});
  }
  batch.traces.push_back({.id = id, .spans = batch.spans});
  return batch;
}

IncomingBatch SplitByTrace(const otlp::Batch& batch) {
  Grouping grouping;
  for (const otlp::Slice& slice : batch.slices()) {
    if (slice.span_count() > 0) grouping.AddRequest(otlp::Batch(slice).Encode());
  }
  IncomingBatch split = grouping.Take();
  for (const IncomingTrace& trace : split.traces) CopyTogether(trace.spans);
  return split;
}

IncomingBatch SplitSharing(const Bytes& request) {
  Grouping grouping;
  grouping.AddRequest(request);
  return grouping.Take();
}

}  // namespace spanloom::store::head
