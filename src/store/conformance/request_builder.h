// SPDX-License-Identifier: Apache-2.0
//
// For tests: export requests made from a few words. What is not said is left out of the message, as a sender would.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "otlp/batch.h"
#include "otlp/ids.h"
#include "otlp/views.h"
#include "otlp/writer.h"

namespace spanloom::store {

// An AnyValue that is encoded already.
struct EncodedValue {
  std::string wire;
};
using AttributeValue = std::variant<std::string, bool, int64_t, double, EncodedValue>;
using Attributes = std::vector<std::pair<std::string, AttributeValue>>;

struct EventSpec {
  uint64_t time_unix_ns = 0;
  std::string name;
  Attributes attributes = {};
};

struct LinkSpec {
  otlp::TraceId trace_id;
  otlp::SpanId span_id;
};

struct SpanSpec {
  otlp::TraceId trace_id;
  otlp::SpanId span_id;
  otlp::SpanId parent_span_id = {};
  std::string name = "work";
  otlp::SpanKind kind = otlp::SpanKind::kUnspecified;
  uint64_t start_unix_ns = 0;
  uint64_t end_unix_ns = 0;
  Attributes attributes = {};
  std::vector<EventSpec> events = {};
  std::vector<LinkSpec> links = {};
  otlp::StatusCode status_code = otlp::StatusCode::kUnset;
  std::string status_message = {};
  std::string trace_state = {};
  uint32_t flags = 0;
};

// Ids that read well: the number in the last bytes.
[[nodiscard]] otlp::TraceId MakeTraceId(uint64_t number);
[[nodiscard]] otlp::SpanId MakeSpanId(uint64_t number);

// The Span message.
[[nodiscard]] std::string Encode(const SpanSpec& span);

// An AnyValue with an array or a map in it.
[[nodiscard]] EncodedValue MakeArray(const std::vector<AttributeValue>& elements);
[[nodiscard]] EncodedValue MakeMap(const Attributes& entries);
[[nodiscard]] EncodedValue MakeBytes(std::string_view bytes);

// Collects ResourceSpans one after the other, each with one ScopeSpans.
class RequestBuilder {
 public:
  // Begins a ResourceSpans: attributes of its resource, name, version and attributes of its scope.
  RequestBuilder& From(const Attributes& resource, std::string_view scope_name = "",
                       std::string_view scope_version = "", const Attributes& scope_attributes = {});
  // From({{"service.name", service}}).
  RequestBuilder& FromService(std::string_view service);
  // Adds a span to what From began.
  RequestBuilder& Add(const SpanSpec& span);

  // The request, checked by ValidateTraces. Fails the test if it is not valid.
  [[nodiscard]] otlp::Batch Build();

 private:
  std::string wire_;
  otlp::RequestWriter writer_{wire_};
  bool has_scope_ = false;
};

// `wire` as a batch. Fails the test if it is not a valid request.
[[nodiscard]] otlp::Batch BatchOf(std::string wire);

}  // namespace spanloom::store
