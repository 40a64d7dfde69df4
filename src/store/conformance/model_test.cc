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

constexpr Comparison kOrdered[] = {Comparison::kEqual,       Comparison::kNotEqual, Comparison::kLess,
                                   Comparison::kLessOrEqual, Comparison::kGreater,  Comparison::kGreaterOrEqual};

// Spans over few traces, services, names and times, so that everything collides with everything; and questions about
// them.
class RandomQuestions {
 public:
  explicit RandomQuestions(uint64_t seed) : rng_(seed) {}

  otlp::Batch NextBatch() {
    RequestBuilder builder;
    for (uint64_t i = 0; i < 1 + rng_.Below(4); ++i) {
      builder.FromService(StrCat("service-", rng_.Below(4)));
      for (uint64_t j = 0; j < rng_.Below(6); ++j) builder.Add(NextSpan());
    }
    return builder.Build();
  }

  FetchPlan NextPlan() {
    FetchPlan plan;
    plan.spansets.clear();
    for (uint64_t i = 0; i < 1 + rng_.Below(3); ++i) plan.spansets.push_back(NextPredicate(3));
    if (Once(2)) plan.join = FetchPlan::Join::kAll;
    plan.starts = NextRange();
    for (uint64_t i = Once(4) ? rng_.Below(20) : 0; i > 0; --i) plan.traces.push_back(MakeTraceId(rng_.Below(45)));
    if (Once(2)) plan.rows = FetchPlan::Rows::kWholeTrace;
    for (uint64_t i = rng_.Below(4); i > 0; --i) plan.fields.push_back(NextField());
    plan.wants_messages = Once(2);
    plan.wants_structure = Once(2);
    if (Once(4)) plan.after = {.latest_start_unix_ns = rng_.Below(60), .id = MakeTraceId(rng_.Below(40))};
    plan.traces_max = rng_.Below(20);
    return plan;
  }

  RowQuery<TraceColumn> NextRowQuery() {
    RowQuery<TraceColumn> query;
    query.filter.starts = NextRange();
    if (Once(2)) {
      query.filter.all.push_back({.column = Once(2) ? TraceColumn::kSpans : TraceColumn::kDuration,
                                  .comparison = kOrdered[rng_.Below(6)],
                                  .operand = Value::Int(static_cast<int64_t>(rng_.Below(8)))});
    }
    if (Once(3)) {
      query.filter.all.push_back({.column = TraceColumn::kService,
                                  .comparison = Comparison::kNotEqual,
                                  .operand = Value::String("service-1")});
    }
    query.order_by = static_cast<TraceColumn>(rng_.Below(9));
    query.is_descending = Once(2);
    query.rows_max = 1 + rng_.Below(10);
    return query;
  }

  TimeRange NextRange() {
    TimeRange range;
    if (Once(2)) range.begin_unix_ns = rng_.Below(60);
    if (Once(2)) range.end_unix_ns = rng_.Below(60);
    return range;
  }

  Predicate NextPredicate(int depth) {
    if (depth > 0 && Once(3)) {
      std::vector<Predicate> parts;
      for (uint64_t i = rng_.Below(4); i > 0; --i) parts.push_back(NextPredicate(depth - 1));
      return Once(2) ? Predicate::All(std::move(parts)) : Predicate::Any(std::move(parts));
    }
    if (depth > 0 && Once(6)) return Predicate::Not(NextPredicate(depth - 1));
    if (Once(6)) return {};
    return NextCondition();
  }

  bool Once(uint64_t in) { return rng_.Below(in) == 0; }

 private:
  Predicate NextCondition() {
    switch (rng_.Below(9)) {
      case 0:
      case 1:
        return Is(Intrinsic::kService, Value::String(StrCat("service-", rng_.Below(5))));
      case 2:
        return Has(Field::Of(Intrinsic::kName), Comparison::kMatches, Value::String(StrCat(".*", rng_.Below(4))));
      case 3:
        return HasTag("k", StrCat(rng_.Below(4)));
      case 4:
        return HasTag("error", Once(2) ? "true" : "false");
      case 5:
        return Has(Field::Of(Intrinsic::kDuration), kOrdered[rng_.Below(6)],
                   Value::Double(static_cast<double>(rng_.Below(12)) - 5.5));
      case 6:
        return Has(Field::Attribute(AttributeScope::kSpanThenResource, "k"),
                   Once(2) ? Comparison::kExists : Comparison::kIsAbsent);
      case 7:
        return Has(Field::Of(Once(2) ? Intrinsic::kTraceSpanCount : Intrinsic::kChildCount), kOrdered[rng_.Below(6)],
                   Value::Int(static_cast<int64_t>(rng_.Below(5))));
      default:
        return Has(Field::Attribute(AttributeScope::kSpan, "k"), kOrdered[rng_.Below(6)],
                   Value::Int(static_cast<int64_t>(rng_.Below(4))));
    }
  }

  Field NextField() {
    if (Once(3)) return Field::Attribute(static_cast<AttributeScope>(rng_.Below(7)), Once(4) ? "error" : "k");
    return Field::Of(static_cast<Intrinsic>(1 + rng_.Below(static_cast<uint64_t>(Intrinsic::kTraceErrorCount))));
  }

  SpanSpec NextSpan() {
    const uint64_t start = rng_.Below(50);
    SpanSpec span = {.trace_id = MakeTraceId(rng_.Below(40)),
                     .span_id = MakeSpanId(rng_.Below(8)),
                     .parent_span_id = MakeSpanId(rng_.Below(10)),
                     .name = StrCat("op-", rng_.Below(3)),
                     .kind = static_cast<otlp::SpanKind>(rng_.Below(2)),
                     .start_unix_ns = start,
                     .end_unix_ns = start + rng_.Below(10) - 5};
    if (Once(2)) span.attributes = {{"k", static_cast<int64_t>(rng_.Below(4))}};
    if (Once(4)) span.status_code = otlp::StatusCode::kError;
    if (Once(4)) span.events = {{.time_unix_ns = start + 1, .name = "e", .attributes = {{"k", "event"}}}};
    return span;
  }

  Rng rng_;
};

std::vector<std::string> DescribeAnswer(const SpanStore& store, const FetchPlan& plan) {
  std::vector<SpanBatch> batches;
  const auto cursor = store.Fetch(plan);
  EXPECT_TRUE(cursor.ok()) << cursor.status();
  while (cursor.ok()) {
    auto batch = (*cursor)->Next();
    EXPECT_TRUE(batch.ok()) << batch.status();
    if (!batch.ok() || !batch->has_value()) break;
    batches.push_back(**std::move(batch));
  }
  return Describe(batches);
}

std::vector<TraceRow> AllPages(const SpanStore& store, RowQuery<TraceColumn> query) {
  std::vector<TraceRow> rows;
  do {
    auto page = store.Traces(query);
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) break;
    EXPECT_LE(page->rows.size(), query.rows_max);
    for (TraceRow& row : page->rows) {
      row.version = 0;  // each store's own
      rows.push_back(std::move(row));
    }
    query.page = page->next;
  } while (!query.page.empty());
  return rows;
}

// Scenario: random batches with duplicates, late spans and negative durations; random plans in between.
// Guarantees: rows, columns, places, order and counts are those of the model.
TEST_P(StoreConformance, AnswersAsTheModelDoesProperty) {
  constexpr uint64_t kSeed = 20261122;
  RandomQuestions random(kSeed);
  ModelStore model;
  for (int step = 0; step < 300; ++step) {
    const otlp::Batch batch = random.NextBatch();
    model.Add(batch);
    Append(batch);
    for (int i = 0; i < 3; ++i) {
      const FetchPlan plan = random.NextPlan();
      ASSERT_EQ(DescribeAnswer(store(), plan), DescribeAnswer(model, plan))
          << "seed " << kSeed << ", step " << step << ": " << Describe(plan);
    }
    ASSERT_EQ(store().Stats().spans, model.Stats().spans);
    ASSERT_EQ(store().Stats().spans_duplicate, model.Stats().spans_duplicate);
    ASSERT_EQ(store().Stats().oldest_unix_ns, model.Stats().oldest_unix_ns);
    ASSERT_EQ(store().Stats().newest_unix_ns, model.Stats().newest_unix_ns);
  }
}

// Scenario: the same spans; random questions for names, values and rows.
// Guarantees: names with their counts, and all pages of rows one after the other, are those of the model.
TEST_P(StoreConformance, ListsAsTheModelDoesProperty) {
  constexpr uint64_t kSeed = 20261123;
  RandomQuestions random(kSeed);
  ModelStore model;
  for (int step = 0; step < 150; ++step) {
    const otlp::Batch batch = random.NextBatch();
    model.Add(batch);
    Append(batch);

    const NameQuery names = {.starts = random.NextRange(), .names_max = random.Once(2) ? 2U : 100U};
    ASSERT_EQ(*store().Services(names), *model.Services(names)) << "seed " << kSeed << ", step " << step;
    ASSERT_EQ(*store().Operations("service-1", names), *model.Operations("service-1", names));
    ASSERT_EQ(*store().Keys(names), *model.Keys(names));
    const ValueQuery values = {
        .field = Field::Attribute(AttributeScope::kAnywhere, "k"), .where = random.NextPredicate(2), .names = names};
    ASSERT_EQ(*store().Values(values), *model.Values(values)) << values.where.ToString();
    const RowQuery<TraceColumn> rows = random.NextRowQuery();
    ASSERT_EQ(AllPages(store(), rows), AllPages(model, rows))
        << "seed " << kSeed << ", step " << step << ", column " << static_cast<int>(rows.order_by);
  }
}

}  // namespace
}  // namespace spanloom::store
