// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/trace_routing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/testing/attributed_spans.h"
#include "pipeline/testing/traces.h"

namespace spanloom::pipeline {
namespace {

std::string KeyOf(const std::vector<std::string>& names, const otlp::Batch& batch) {
  std::string key;
  batch.slices()[0].ForEach([&](const otlp::SpanContext& context) { key = AttributeKey(names, context); });
  return key;
}

otlp::Batch OneSpan() {
  const auto of_resource = [](otlp::AttributeWriter& writer) { writer.String("service.name", "vllm"); };
  const auto of_scope = [](otlp::AttributeWriter& writer) {
    writer.String("service.name", "not this one");
    writer.Bool("sampled", true);
  };
  const auto of_span = [](otlp::AttributeWriter& writer) {
    writer.Int("tokens", 42);
    writer.String("span.name", "not this one");
  };
  return BatchOfSpan({.fields = {.name = "llm_request", .kind = otlp::SpanKind::kClient},
                      .resource_attributes = of_resource,
                      .scope_attributes = of_scope,
                      .attributes = of_span});
}

// Scenario: names that the resource, the scope, the span and nobody has, and what the span itself says.
// Guarantees: the key that the Collector makes of them.
TEST(AttributeKey, IsThatOfTheCollector) {
  EXPECT_EQ(KeyOf({"service.name"}, OneSpan()), "service.name=vllm|");
  EXPECT_EQ(KeyOf({"sampled", "tokens", "span.kind", "span.name", "absent"}, OneSpan()),
            "sampled=true|tokens=42|span.kind=Client|span.name=llm_request|absent=|");
}

std::vector<size_t> EndpointsOf(RoutingKey key, const std::vector<std::string>& attributes, const HashRing& ring,
                                const otlp::Batch& batch) {
  TraceRouter router(key, attributes, ring);
  std::vector<size_t> endpoints;
  for (const otlp::Slice& slice : batch.slices()) {
    slice.ForEach([&](const otlp::SpanContext& context) { endpoints.push_back(router.EndpointOf(context)); });
  }
  return endpoints;
}

// Scenario: two traces over two services, by trace and by service.
// Guarantees: by trace the service does not matter, by service the trace does not.
TEST(TraceRouter, RoutesByTraceOrService) {
  const HashRing ring({"a", "b", "c", "d", "e", "f", "g", "h"});
  const otlp::Batch batch = RequestOf({{.trace = 1, .service = "decode"},
                                       {.trace = 2, .service = "decode"},
                                       {.trace = 1, .service = "prefill"},
                                       {.trace = 2, .service = "prefill"}});
  const size_t of_first = ring.EndpointOf(TraceNumber(1).view());
  const size_t of_second = ring.EndpointOf(TraceNumber(2).view());
  ASSERT_NE(of_first, of_second);
  EXPECT_THAT(EndpointsOf(RoutingKey::kTraceId, {}, ring, batch),
              testing::ElementsAre(of_first, of_second, of_first, of_second));
  const size_t of_decode = ring.EndpointOf("service.name=decode|");
  const size_t of_prefill = ring.EndpointOf("service.name=prefill|");
  ASSERT_NE(of_decode, of_prefill);
  EXPECT_THAT(EndpointsOf(RoutingKey::kService, {}, ring, batch),
              testing::ElementsAre(of_decode, of_decode, of_prefill, of_prefill));
}

// Scenario: spans of one trace in one scope whose attribute differs.
// Guarantees: they stay together, where the first one belongs.
TEST(TraceRouter, KeepsATraceOfAScopeTogether) {
  const HashRing ring({"a", "b", "c", "d", "e", "f", "g", "h"});
  const otlp::Batch batch = RequestOf({{.texts = {{"model", "llama"}}}, {.texts = {{"model", "mistral"}}}});
  ASSERT_NE(ring.EndpointOf("model=llama|"), ring.EndpointOf("model=mistral|"));
  const size_t of_first = ring.EndpointOf("model=llama|");
  EXPECT_THAT(EndpointsOf(RoutingKey::kAttributes, {"model"}, ring, batch), testing::ElementsAre(of_first, of_first));
}

}  // namespace
}  // namespace spanloom::pipeline
