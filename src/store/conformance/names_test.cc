// SPDX-License-Identifier: Apache-2.0
//
// Conformance: names of services and operations.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/conformance/store_conformance.h"

namespace spanloom::store {
namespace {

using otlp::SpanKind;
using testing::ElementsAre;
using testing::IsEmpty;

// Scenario: services in no order, one span without a service name, one with an empty one.
// Guarantees: sorted, each once; what has no name is "unknown_service".
TEST_P(StoreConformance, ListsServicesSorted) {
  EXPECT_THAT(*store().Services({}), IsEmpty());
  const SpanSpec span = {.trace_id = MakeTraceId(1), .span_id = MakeSpanId(1)};
  Append(RequestBuilder()
             .FromService("zeta")
             .Add(span)
             .FromService("alpha")
             .Add(span)
             .From({})
             .Add(span)
             .FromService("")
             .Add(span)
             .FromService("zeta")
             .Add({.trace_id = MakeTraceId(2), .span_id = MakeSpanId(2)})
             .Build());
  EXPECT_THAT(*store().Services({}),
              ElementsAre(ServiceName{"alpha", 1}, ServiceName{"unknown_service", 2}, ServiceName{"zeta", 2}));
}

// Scenario: the same name with two kinds, in two services.
// Guarantees: distinct by name and kind, sorted, and only those of the service.
TEST_P(StoreConformance, ListsOperationsOfAService) {
  const auto span = [](uint64_t number, const char* name, SpanKind kind) {
    return SpanSpec{.trace_id = MakeTraceId(number), .span_id = MakeSpanId(number), .name = name, .kind = kind};
  };
  Append(RequestBuilder()
             .FromService("a")
             .Add(span(1, "GET", SpanKind::kServer))
             .Add(span(2, "GET", SpanKind::kClient))
             .Add(span(3, "GET", SpanKind::kServer))
             .Add(span(4, "DELETE", SpanKind::kUnspecified))
             .FromService("b")
             .Add(span(5, "PUT", SpanKind::kServer))
             .Build());
  EXPECT_THAT(*store().Operations("a", {}),
              ElementsAre(OperationName{{.name = "DELETE", .kind = SpanKind::kUnspecified}, 1},
                          OperationName{{.name = "GET", .kind = SpanKind::kServer}, 2},
                          OperationName{{.name = "GET", .kind = SpanKind::kClient}, 1}));
  EXPECT_THAT(*store().Operations("nobody", {}), IsEmpty());
}

}  // namespace
}  // namespace spanloom::store
