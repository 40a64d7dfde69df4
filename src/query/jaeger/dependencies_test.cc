// SPDX-License-Identifier: Apache-2.0

#include "query/jaeger/dependencies.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "store/conformance/model_store.h"
#include "store/conformance/request_builder.h"

namespace spanloom::query::jaeger {
namespace {

using store::MakeSpanId;
using store::MakeTraceId;
using store::SpanSpec;

SpanSpec SpanOf(uint64_t trace, uint64_t span, uint64_t parent) {
  return {.trace_id = MakeTraceId(trace), .span_id = MakeSpanId(span), .parent_span_id = MakeSpanId(parent)};
}

// Scenario: a gateway that calls decode twice, decode within itself, a parent that is not stored, the same ids in
// another trace. Guarantees: calls are counted within a trace, sorted, orphans not at all.
TEST(Dependencies, CountCallsBetweenServices) {
  store::ModelStore store;
  store.Add(store::RequestBuilder()
                .FromService("gateway")
                .Add(SpanOf(1, 1, 0))
                .Add(SpanOf(2, 9, 1))
                .FromService("decode")
                .Add(SpanOf(1, 2, 1))
                .Add(SpanOf(1, 3, 1))
                .Add(SpanOf(1, 4, 3))
                .Add(SpanOf(1, 5, 77))
                .Build());
  std::string counted;
  DependencyCounter counter;
  const auto cursor = store.Fetch(DependencyCounter::Plan());
  ASSERT_TRUE(cursor.ok());
  for (auto batch = (*cursor)->Next(); batch.ok() && batch->has_value(); batch = (*cursor)->Next())
    counter.Add(**batch);
  for (const Dependency& dependency : counter.Take()) {
    StrAppend(counted, dependency.parent, ">", dependency.child, ":", dependency.calls, " ");
  }
  EXPECT_EQ(counted, "decode>decode:1 gateway>decode:2 ");
}

}  // namespace
}  // namespace spanloom::query::jaeger
