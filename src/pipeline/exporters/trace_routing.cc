// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/trace_routing.h"

#include <optional>
#include <string_view>

#include "base/text.h"
#include "pipeline/processors/attribute_value.h"

namespace spanloom::pipeline {
namespace {

const std::vector<std::string>& ServiceAttribute() {
  static const std::vector<std::string> names = {"service.name"};
  return names;
}

// As Go's collector prints it.
std::string_view KindText(otlp::SpanKind kind) {
  switch (kind) {
    case otlp::SpanKind::kUnspecified:
      return "Unspecified";
    case otlp::SpanKind::kInternal:
      return "Internal";
    case otlp::SpanKind::kServer:
      return "Server";
    case otlp::SpanKind::kClient:
      return "Client";
    case otlp::SpanKind::kProducer:
      return "Producer";
    case otlp::SpanKind::kConsumer:
      return "Consumer";
  }
  return "";
}

std::string ValueOf(std::string_view name, const otlp::SpanContext& context) {
  if (const auto value = FindAttribute(context.resource.attributes(), name)) return ValueAsString(*value);
  if (const auto value = FindAttribute(context.scope.attributes(), name)) return ValueAsString(*value);
  if (name == "span.kind") return std::string(KindText(context.span.kind()));
  if (name == "span.name") return std::string(context.span.name());
  if (const auto value = FindAttribute(context.span.attributes(), name)) return ValueAsString(*value);
  return "";
}

}  // namespace

std::string AttributeKey(const std::vector<std::string>& names, const otlp::SpanContext& context) {
  std::string key;
  for (const std::string& name : names) StrAppend(key, name, "=", ValueOf(name, context), "|");
  return key;
}

size_t TraceRouter::EndpointOf(const otlp::SpanContext& context) {
  const otlp::TraceId& trace = context.span.trace_id();
  if (key_ == RoutingKey::kTraceId) return ring_.EndpointOf(trace.view());
  const char* const resource = context.resource.wire().data();
  const char* const scope = context.scope.wire().data();
  if (resource != resource_ || scope != scope_) {
    endpoint_of_.clear();
    resource_ = resource;
    scope_ = scope;
  }
  const auto [endpoint, is_new] = endpoint_of_.try_emplace(trace);
  if (is_new) {
    const auto& names = key_ == RoutingKey::kService ? ServiceAttribute() : attributes_;
    endpoint->second = ring_.EndpointOf(AttributeKey(names, context));
  }
  return endpoint->second;
}

}  // namespace spanloom::pipeline
