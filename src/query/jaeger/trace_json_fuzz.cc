// SPDX-License-Identifier: Apache-2.0
//
// Whatever request passes the check, its Jaeger JSON is JSON, and stays so when it is indented.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/check.h"
#include "otlp/validate.h"
#include "query/jaeger/envelope.h"
#include "query/jaeger/trace_json.h"

namespace spanloom {
namespace {

store::Trace TraceOf(std::string_view request) {
  store::Trace trace;
  for (const otlp::ResourceSpansView resource_spans : otlp::TracesView(request).resource_spans()) {
    for (const otlp::ScopeSpansView scope_spans : resource_spans.scope_spans()) {
      const store::SpanOrigin origin = {.resource = Bytes::CopyOf(resource_spans.resource().wire()),
                                        .scope = Bytes::CopyOf(scope_spans.scope().wire()),
                                        .resource_schema_url = {},
                                        .scope_schema_url = {}};
      const auto shared = std::make_shared<const store::SpanOrigin>(origin);
      for (const otlp::SpanView span : scope_spans.spans()) {
        trace.spans.push_back({.wire = Bytes::CopyOf(span.wire()), .origin = shared});
      }
    }
  }
  return trace;
}

}  // namespace
}  // namespace spanloom

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace spanloom;
  const std::string_view request(reinterpret_cast<const char*>(data), size);
  if (!otlp::ValidateTraces(request).ok()) return 0;
  std::string json;
  JsonWriter writer(json);
  query::jaeger::WriteTraceJson(TraceOf(request), {}, writer);
  CHECK(nlohmann::json::accept(json));
  CHECK(nlohmann::json::accept(query::jaeger::IndentJson(json)));
  return 0;
}
