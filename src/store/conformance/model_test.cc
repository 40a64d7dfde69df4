// SPDX-License-Identifier: Apache-2.0
//
// Conformance: a store answers as the model does, whatever is asked.

#include <gtest/gtest.h>

#include "base/rng.h"
#include "base/text.h"
#include "store/conformance/model_store.h"
#include "store/conformance/store_conformance.h"

namespace spanloom::store {
namespace {

// Spans over few traces, services, names and times, so that everything collides with everything.
class RandomSpans {
 public:
  explicit RandomSpans(uint64_t seed) : rng_(seed) {}

  otlp::Batch NextBatch() {
    RequestBuilder builder;
    for (uint64_t i = 0; i < 1 + rng_.Below(4); ++i) {
      builder.FromService(StrCat("service-", rng_.Below(4)));
      for (uint64_t j = 0; j < rng_.Below(6); ++j) builder.Add(NextSpan());
    }
    return builder.Build();
  }

  TraceQuery NextQuery() {
    TraceQuery query;
    if (Once(2)) query.service = StrCat("service-", rng_.Below(5));
    if (Once(4)) query.operation = StrCat("op-", rng_.Below(4));
    if (Once(4)) query.attributes.push_back({"k", StrCat(rng_.Below(4))});
    if (Once(8)) query.attributes.push_back({"error", Once(2) ? "true" : "false"});
    if (Once(2)) query.start_min_unix_ns = rng_.Below(60);
    if (Once(2)) query.start_max_unix_ns = rng_.Below(60);
    if (Once(4)) query.duration_min_ns = static_cast<int64_t>(rng_.Below(10)) - 5;
    if (Once(4)) query.duration_max_ns = static_cast<int64_t>(rng_.Below(10)) - 5;
    query.limit = rng_.Below(20);
    return query;
  }

 private:
  bool Once(uint64_t in) { return rng_.Below(in) == 0; }

  SpanSpec NextSpan() {
    const uint64_t start = rng_.Below(50);
    SpanSpec span = {.trace_id = MakeTraceId(rng_.Below(40)),
                     .span_id = MakeSpanId(rng_.Below(8)),
                     .name = StrCat("op-", rng_.Below(3)),
                     .kind = static_cast<otlp::SpanKind>(rng_.Below(2)),
                     .start_unix_ns = start,
                     .end_unix_ns = start + rng_.Below(10) - 5};
    if (Once(2)) span.attributes = {{"k", static_cast<int64_t>(rng_.Below(4))}};
    if (Once(4)) span.status_code = otlp::StatusCode::kError;
    return span;
  }

  Rng rng_;
};

// Scenario: random batches with duplicates, late spans and negative durations; random queries in between.
// Guarantees: traces, their spans, their order, names and counts are those of the model.
TEST_P(StoreConformance, AnswersAsTheModelDoesProperty) {
  constexpr uint64_t kSeed = 20261122;
  RandomSpans random(kSeed);
  ModelStore model;
  for (int step = 0; step < 400; ++step) {
    const otlp::Batch batch = random.NextBatch();
    model.Append(batch, [](const Status&) {});
    Append(batch);

    const TraceQuery query = random.NextQuery();
    ASSERT_EQ(Describe(Find(query)), Describe(*model.FindTraces(query))) << "seed " << kSeed << ", step " << step;
    ASSERT_EQ(*store().Services(), *model.Services());
    ASSERT_EQ(*store().Operations("service-1"), *model.Operations("service-1"));
    ASSERT_EQ(store().Stats().spans, model.Stats().spans);
    ASSERT_EQ(store().Stats().spans_duplicate, model.Stats().spans_duplicate);
  }
}

}  // namespace
}  // namespace spanloom::store
