// SPDX-License-Identifier: Apache-2.0
//
// Writes OTLP trace requests straight into their wire form, front to back into one string: what an SDK, a generator or
// a test needs to make spans, and what an editor (editor.h) uses for the parts that it replaces. Fields come in the
// order of their numbers, as SDKs write them; what is not said is left out. Specification:
// opentelemetry/proto/trace/v1.
//
//   std::string wire;
//   RequestWriter request(wire);
//   request.BeginResource(EncodeResource([](AttributeWriter& a) { a.String("service.name", "shop"); }));
//   request.BeginScope(EncodeScope({.name = "shop.http", .version = "1.0"}));
//   SpanWriter span = request.BeginSpan({.trace_id = trace_id, .span_id = span_id, .name = "GET /cart"});
//   span.attributes().Int("http.response.status_code", 200);
//   span.End();
//   request.End();
//
// All writers are thread-compatible, borrow the string that they append to, and are used one inside the other: an inner
// one ends before the outer one goes on. Values may nest as deep as ValidateTraces allows (kValueDepthMax); keeping to
// that is the caller's duty.

#pragma once

#include <absl/functional/function_ref.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "otlp/ids.h"
#include "otlp/views.h"
#include "otlp/wire/writer.h"

namespace spanloom::otlp {

class ArrayWriter;

// Writes KeyValue fields: the attributes of a resource, scope, span, event or link, or the entries of a map. Keys are
// not checked for being unique.
class AttributeWriter {
 public:
  // Each attribute becomes a field `field` of the message that `writer` is in.
  AttributeWriter(const wire::Writer& writer, uint32_t field) : writer_(writer), field_(field) {}

  AttributeWriter& String(std::string_view key, std::string_view value);
  AttributeWriter& Bool(std::string_view key, bool value);
  AttributeWriter& Int(std::string_view key, int64_t value);
  AttributeWriter& Double(std::string_view key, double value);
  AttributeWriter& Bytes(std::string_view key, std::string_view value);
  AttributeWriter& Array(std::string_view key, absl::FunctionRef<void(ArrayWriter&)> write_elements);
  AttributeWriter& Map(std::string_view key, absl::FunctionRef<void(AttributeWriter&)> write_entries);
  // `any_value` is an AnyValue in wire form, such as ValueView::wire(); an empty one is OTLP's empty value.
  AttributeWriter& Encoded(std::string_view key, std::string_view any_value);
  // The attribute as it came, unknown fields included.
  AttributeWriter& Copy(const AttributeView& attribute);

 private:
  wire::Writer writer_;
  uint32_t field_;
};

// Writes the elements of an array value.
class ArrayWriter {
 public:
  explicit ArrayWriter(const wire::Writer& writer) : writer_(writer) {}

  ArrayWriter& String(std::string_view value);
  ArrayWriter& Bool(bool value);
  ArrayWriter& Int(int64_t value);
  ArrayWriter& Double(double value);
  ArrayWriter& Bytes(std::string_view value);
  ArrayWriter& Array(absl::FunctionRef<void(ArrayWriter&)> write_elements);
  ArrayWriter& Map(absl::FunctionRef<void(AttributeWriter&)> write_entries);
  ArrayWriter& Encoded(std::string_view any_value);

 private:
  wire::Writer writer_;
};

// The fields of a span before its attributes. Zero ids, empty texts and zeros are left out; times are always written,
// as SDKs do.
struct SpanFields {
  TraceId trace_id = {};
  SpanId span_id = {};
  std::string_view trace_state = {};
  SpanId parent_span_id = {};
  std::string_view name = {};
  SpanKind kind = SpanKind::kUnspecified;
  uint64_t start_unix_ns = 0;
  uint64_t end_unix_ns = 0;
  uint32_t flags = 0;  // Span.flags: the W3C trace flags, and whether the parent is known to be remote
};

// The fields of a link before its attributes.
struct LinkFields {
  TraceId trace_id = {};
  SpanId span_id = {};
  std::string_view trace_state = {};
  uint32_t flags = 0;
};

// What an SDK had to leave out of a span because of its limits.
struct DroppedCounts {
  uint32_t attributes = 0;
  uint32_t events = 0;
  uint32_t links = 0;
};

inline void WriteNoAttributes(AttributeWriter&) {}

// One span under construction. attributes(), AddEvent and AddLink in that order give the fields in the order of their
// numbers, but any order is valid.
class SpanWriter {
 public:
  // Begins a `spans` field of ScopeSpans.
  SpanWriter(const wire::Writer& writer, const SpanFields& fields);

  [[nodiscard]] AttributeWriter attributes() const;
  void AddEvent(uint64_t time_unix_ns, std::string_view name,
                absl::FunctionRef<void(AttributeWriter&)> write_attributes = WriteNoAttributes,
                uint32_t dropped_attributes = 0);
  void AddLink(const LinkFields& link, absl::FunctionRef<void(AttributeWriter&)> write_attributes = WriteNoAttributes,
               uint32_t dropped_attributes = 0);
  void SetDropped(const DroppedCounts& dropped);
  // Writes a status even if it is unset, as SDKs do. At most once.
  void SetStatus(StatusCode code, std::string_view message = {});

  // Closes the span. Nothing may be called afterwards.
  void End();

 private:
  wire::Writer writer_;
  wire::Writer::Mark mark_;
  uint32_t flags_;
};

// An AnyValue with an array or a map in it, in wire form.
[[nodiscard]] std::string EncodeArray(absl::FunctionRef<void(ArrayWriter&)> write_elements);
[[nodiscard]] std::string EncodeMap(absl::FunctionRef<void(AttributeWriter&)> write_entries);

// A Resource in wire form.
[[nodiscard]] std::string EncodeResource(absl::FunctionRef<void(AttributeWriter&)> write_attributes);

struct ScopeFields {
  std::string_view name = {};
  std::string_view version = {};
};

// An InstrumentationScope in wire form.
[[nodiscard]] std::string EncodeScope(const ScopeFields& fields,
                                      absl::FunctionRef<void(AttributeWriter&)> write_attributes = WriteNoAttributes);

// Writes an ExportTraceServiceRequest: any number of resources, each with any number of scopes, each with any number of
// spans. Calls out of that order are programming errors, caught by CHECK.
class RequestWriter {
 public:
  // Appends to `out`.
  explicit RequestWriter(std::string& out) : writer_(out) {}

  // Begins a ResourceSpans and closes the one before. `resource` is a Resource in wire form.
  void BeginResource(std::string_view resource, std::string_view schema_url = {});
  // Begins a ScopeSpans of the resource begun last. `scope` is an InstrumentationScope in wire form.
  void BeginScope(std::string_view scope, std::string_view schema_url = {});
  // Begins a span of the scope begun last. It must End() before the next call.
  [[nodiscard]] SpanWriter BeginSpan(const SpanFields& fields);
  // Appends spans to the scope begun last: `spans` fields of ScopeSpans, as SpanWriter writes them.
  void AddEncodedSpans(std::string_view fields);
  // Closes what is open. The string is then a whole request; another resource may follow.
  void End();

 private:
  void EndScope();

  wire::Writer writer_;
  bool in_resource_ = false;
  bool in_scope_ = false;
  wire::Writer::Mark resource_spans_;
  wire::Writer::Mark scope_spans_;
  std::string resource_schema_url_;  // written behind the scopes
  std::string scope_schema_url_;     // written behind the spans
};

}  // namespace spanloom::otlp
