// SPDX-License-Identifier: Apache-2.0
//
// Conformance: what a condition means: each comparison with each kind of value, each field that a span has, each scope.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "store/conformance/store_conformance.h"

namespace spanloom::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

SpanSpec SpanOf(uint64_t number, Attributes attributes = {}) {
  return {.trace_id = MakeTraceId(number),
          .span_id = MakeSpanId(number),
          .start_unix_ns = number,
          .end_unix_ns = 2 * number,
          .attributes = std::move(attributes)};
}

Field SpanKey(std::string key) {
  return Field::Attribute(AttributeScope::kSpan, std::move(key));
}

// Spans 1, 2, ... with these values of "k", and the last one without.
std::vector<SpanSpec> SpansWith(const std::vector<AttributeValue>& values) {
  std::vector<SpanSpec> spans;
  for (const AttributeValue& value : values) spans.push_back(SpanOf(spans.size() + 1, {{"k", value}}));
  spans.push_back(SpanOf(spans.size() + 1));
  return spans;
}

// Scenario: integers and doubles, at the edges of both, NaN, and a string that looks like a number.
// Guarantees: numbers compare exactly, whatever their kinds; NaN with nothing, though it is not equal to anything.
TEST_P(StoreConformance, ComparesNumbers) {
  AppendEach(SpansWith({int64_t{1}, 1.0, 1.5, kMin, kMax, kInfinity, -kInfinity, kNaN, "1"}));
  const auto matching = [this](Comparison comparison, Value operand) {
    return MatchingSpans(Has(SpanKey("k"), comparison, std::move(operand)));
  };
  EXPECT_THAT(matching(Comparison::kEqual, Value::Int(1)), ElementsAre(1, 2));
  EXPECT_THAT(matching(Comparison::kEqual, Value::Double(1)), ElementsAre(1, 2));
  EXPECT_THAT(matching(Comparison::kNotEqual, Value::Int(1)), ElementsAre(3, 4, 5, 6, 7, 8));
  EXPECT_THAT(matching(Comparison::kLess, Value::Double(1.5)), ElementsAre(1, 2, 4, 7));
  EXPECT_THAT(matching(Comparison::kLessOrEqual, Value::Int(kMin)), ElementsAre(4, 7));
  EXPECT_THAT(matching(Comparison::kGreater, Value::Int(kMax)), ElementsAre(6));
  EXPECT_THAT(matching(Comparison::kGreaterOrEqual, Value::Double(0x1p63)), ElementsAre(6));
  EXPECT_THAT(matching(Comparison::kEqual, Value::Double(kNaN)), IsEmpty());
  EXPECT_THAT(matching(Comparison::kExists, {}), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_THAT(matching(Comparison::kIsAbsent, {}), ElementsAre(10));
}

// Scenario: strings, one that is not UTF-8, an empty one, the same text as bytes, bools.
// Guarantees: each kind compares with itself, byte by byte; expressions match whole strings.
TEST_P(StoreConformance, ComparesTextsAndBools) {
  AppendEach(SpansWith({"abc", "abd", "", "\xff\xfe", MakeBytes("abc"), true, false}));
  const auto matching = [this](Comparison comparison, Value operand) {
    return MatchingSpans(Has(SpanKey("k"), comparison, std::move(operand)));
  };
  EXPECT_THAT(matching(Comparison::kEqual, Value::String("abc")), ElementsAre(1));
  EXPECT_THAT(matching(Comparison::kEqual, Value::Bytes("abc")), ElementsAre(5));
  EXPECT_THAT(matching(Comparison::kNotEqual, Value::String("abc")), ElementsAre(2, 3, 4));
  EXPECT_THAT(matching(Comparison::kGreater, Value::String("abc")), ElementsAre(2, 4));
  EXPECT_THAT(matching(Comparison::kEqual, Value::String("\xff\xfe")), ElementsAre(4));
  EXPECT_THAT(matching(Comparison::kEqual, Value::String("")), ElementsAre(3));
  EXPECT_THAT(matching(Comparison::kMatches, Value::String("ab[cd]")), ElementsAre(1, 2));
  EXPECT_THAT(matching(Comparison::kMatches, Value::String("b")), IsEmpty());
  EXPECT_THAT(matching(Comparison::kNotMatches, Value::String("ab.*")), ElementsAre(3, 4));
  EXPECT_THAT(matching(Comparison::kEqual, Value::Bool(true)), ElementsAre(6));
  EXPECT_THAT(matching(Comparison::kNotEqual, Value::Bool(true)), ElementsAre(7));
  EXPECT_THAT(matching(Comparison::kHasText, Value::String("abc")), ElementsAre(1, 5));
  EXPECT_THAT(matching(Comparison::kHasText, Value::String("false")), ElementsAre(7));
}

// Scenario: arrays, empty and nested, maps, an attribute without a value, a key that occurs twice.
// Guarantees: any element will do for a positive comparison, none may for a negative one; what is nested is JSON text,
// which exists, and never equals a string.
TEST_P(StoreConformance, ComparesElements) {
  AppendEach({SpanOf(1, {{"k", MakeArray({int64_t{1}, "a"})}}), SpanOf(2, {{"k", MakeArray({})}}),
              SpanOf(3, {{"k", MakeArray({MakeArray({"a"})})}}), SpanOf(4, {{"k", MakeMap({{"a", "b"}})}}),
              SpanOf(5, {{"k", EncodedValue{}}}), SpanOf(6, {{"k", "a"}, {"k", "b"}})});
  const auto matching = [this](Comparison comparison, Value operand) {
    return MatchingSpans(Has(SpanKey("k"), comparison, std::move(operand)));
  };
  EXPECT_THAT(matching(Comparison::kEqual, Value::String("a")), ElementsAre(1, 6));
  EXPECT_THAT(matching(Comparison::kEqual, Value::String("b")), ElementsAre(6));
  EXPECT_THAT(matching(Comparison::kNotEqual, Value::String("b")), ElementsAre(1));
  EXPECT_THAT(matching(Comparison::kEqual, Value::String(R"(["a"])")), IsEmpty());
  EXPECT_THAT(matching(Comparison::kHasText, Value::String(R"([["a"]])")), ElementsAre(3));
  EXPECT_THAT(matching(Comparison::kHasText, Value::String(R"({"a":"b"})")), ElementsAre(4));
  EXPECT_THAT(matching(Comparison::kHasText, Value::String("b")), ElementsAre(6));
  EXPECT_THAT(matching(Comparison::kExists, {}), ElementsAre(1, 3, 4, 6));
  EXPECT_THAT(matching(Comparison::kIsAbsent, {}), ElementsAre(2, 5));
}

// Scenario: two attributes, every way to put conditions together.
// Guarantees: all, any, not; of nothing, all is true and any is false; not holds where the field is absent.
TEST_P(StoreConformance, PutsConditionsTogether) {
  AppendEach({SpanOf(1, {{"a", true}}), SpanOf(2, {{"b", true}}), SpanOf(3, {{"a", true}, {"b", true}}), SpanOf(4)});
  const Predicate a = Has(SpanKey("a"), Comparison::kEqual, Value::Bool(true));
  const Predicate b = Has(SpanKey("b"), Comparison::kEqual, Value::Bool(true));
  EXPECT_THAT(MatchingSpans(Predicate::All({a, b})), ElementsAre(3));
  EXPECT_THAT(MatchingSpans(Predicate::Any({a, b})), ElementsAre(1, 2, 3));
  EXPECT_THAT(MatchingSpans(Predicate::Not(a)), ElementsAre(2, 4));
  EXPECT_THAT(MatchingSpans(Predicate::Not(Predicate::Any({a, b}))), ElementsAre(4));
  EXPECT_THAT(MatchingSpans(Predicate::All({})), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(MatchingSpans(Predicate::Any({})), IsEmpty());
  EXPECT_THAT(MatchingSpans({}), ElementsAre(1, 2, 3, 4));
}

// Scenario: the same key in each scope, in a span each; one that has it on the span and on the resource.
// Guarantees: each scope is looked in alone; the span comes before its resource.
TEST_P(StoreConformance, LooksInEachScope) {
  SpanSpec on_event = SpanOf(4);
  on_event.events = {{.time_unix_ns = 1, .name = "e", .attributes = {{"k", "v"}}}};
  Append(RequestBuilder()
             .From({{"k", "v"}})
             .Add(SpanOf(1))
             .Add(SpanOf(5, {{"k", "w"}}))
             .From({}, "scope", "1", {{"k", "v"}})
             .Add(SpanOf(2))
             .From({})
             .Add(SpanOf(3, {{"k", "v"}}))
             .Add(on_event)
             .Build());
  const auto matching = [this](AttributeScope scope) {
    return MatchingSpans(Has(Field::Attribute(scope, "k"), Comparison::kEqual, Value::String("v")));
  };
  EXPECT_THAT(matching(AttributeScope::kResource), ElementsAre(1, 5));
  EXPECT_THAT(matching(AttributeScope::kInstrumentation), ElementsAre(2));
  EXPECT_THAT(matching(AttributeScope::kSpan), ElementsAre(3));
  EXPECT_THAT(matching(AttributeScope::kEvent), ElementsAre(4));
  EXPECT_THAT(matching(AttributeScope::kLink), IsEmpty());
  EXPECT_THAT(matching(AttributeScope::kSpanThenResource), ElementsAre(1, 3));
  EXPECT_THAT(matching(AttributeScope::kAnywhere), ElementsAre(1, 2, 3, 4, 5));
}

// A trace of three spans, 1 over 2 over 3, with everything that a span can have on span 2.
otlp::Batch FullTrace() {
  SpanSpec root = SpanOf(1);
  root.name = "root";
  SpanSpec full = SpanOf(2);
  full.trace_id = root.trace_id;
  full.parent_span_id = root.span_id;
  full.name = "full";
  full.kind = otlp::SpanKind::kClient;
  full.status_code = otlp::StatusCode::kError;
  full.status_message = "boom";
  full.trace_state = "a=b";
  full.events = {{.time_unix_ns = 7, .name = "first"}, {.time_unix_ns = 1, .name = "early"}};
  full.links = {{.trace_id = MakeTraceId(77), .span_id = MakeSpanId(78)}};
  SpanSpec leaf = SpanOf(3);
  leaf.trace_id = root.trace_id;
  leaf.parent_span_id = full.span_id;
  return RequestBuilder()
      .From({{"service.name", "front"}})
      .Add(root)
      .From({{"service.name", "back"}}, "library", "1.2")
      .Add(full)
      .From({})
      .Add(leaf)
      .Build();
}

// "field=text,text" of span 2, in the order of the fields.
std::string TextsOf(const Column& column, size_t row) {
  std::string text;
  for (uint32_t i = column.offsets[row]; i < column.offsets[row + 1]; ++i) {
    const Cell& cell = column.cells[i];
    const bool is_id = cell.kind() == ValueKind::kBytes;
    text += (text.empty() ? "" : ",") + (is_id ? std::to_string(NumberOf(cell.text())) : cell.ToText());
  }
  return text;
}

// Scenario: a span with every field set, in the middle of a trace, and a bare one behind it.
// Guarantees: each intrinsic has the value that its words say, or none where there is none.
TEST_P(StoreConformance, ReadsEachIntrinsic) {
  Append(FullTrace());
  const std::vector<std::pair<Intrinsic, std::pair<std::string, std::string>>> expected = {
      {Intrinsic::kName, {"full", "work"}},
      {Intrinsic::kService, {"back", "unknown_service"}},
      {Intrinsic::kKind, {"3", "0"}},
      {Intrinsic::kStatus, {"2", "0"}},
      {Intrinsic::kStatusMessage, {"boom", ""}},
      {Intrinsic::kStart, {"2", "3"}},
      {Intrinsic::kEnd, {"4", "6"}},
      {Intrinsic::kDuration, {"2", "3"}},
      {Intrinsic::kTraceId, {"1", "1"}},
      {Intrinsic::kSpanId, {"2", "3"}},
      {Intrinsic::kParentSpanId, {"1", "2"}},
      {Intrinsic::kTraceState, {"a=b", ""}},
      {Intrinsic::kChildCount, {"1", "0"}},
      {Intrinsic::kNestedSetLeft, {"2", "3"}},
      {Intrinsic::kNestedSetRight, {"5", "4"}},
      {Intrinsic::kNestedSetParent, {"1", "2"}},
      {Intrinsic::kScopeName, {"library", ""}},
      {Intrinsic::kScopeVersion, {"1.2", ""}},
      {Intrinsic::kEventName, {"first,early", ""}},
      {Intrinsic::kEventTimeSinceStart, {"5,-1", ""}},
      {Intrinsic::kLinkTraceId, {"77", ""}},
      {Intrinsic::kLinkSpanId, {"78", ""}},
      {Intrinsic::kTraceDuration, {"5", "5"}},
      {Intrinsic::kTraceStart, {"1", "1"}},
      {Intrinsic::kTraceRootName, {"root", "root"}},
      {Intrinsic::kTraceRootService, {"front", "front"}},
      {Intrinsic::kTraceSpanCount, {"3", "3"}},
      {Intrinsic::kTraceErrorCount, {"1", "1"}}};
  FetchPlan plan;
  for (const auto& [intrinsic, texts] : expected) plan.fields.push_back(Field::Of(intrinsic));
  const std::vector<SpanBatch> batches = Fetch(plan);
  ASSERT_EQ(batches.size(), 1);
  ASSERT_EQ(batches[0].rows(), 3);
  for (size_t i = 0; i < expected.size(); ++i) {
    const auto& [full, bare] = expected[i].second;
    EXPECT_EQ(TextsOf(batches[0].columns[i], 1), full) << plan.fields[i].ToString();
    EXPECT_EQ(TextsOf(batches[0].columns[i], 2), bare) << plan.fields[i].ToString();
  }
  EXPECT_THAT(MatchingSpans(Is(Intrinsic::kEventName, Value::String("early"))), ElementsAre(2));
  EXPECT_THAT(MatchingSpans(Is(Intrinsic::kTraceRootName, Value::String("root"))), ElementsAre(1, 2, 3));
  EXPECT_THAT(MatchingSpans(Has(Field::Of(Intrinsic::kParentSpanId), Comparison::kIsAbsent)), ElementsAre(1));
  EXPECT_THAT(MatchingSpans(Is(Intrinsic::kSpanId, Value::Bytes(MakeSpanId(3).view()))), ElementsAre(3));
}

// Scenario: times that do not fit 63 bits, and a trace without a root.
// Guarantees: shown as the last time that fits; fields of the root are absent.
TEST_P(StoreConformance, IntrinsicsHaveEdges) {
  constexpr uint64_t kLast = std::numeric_limits<uint64_t>::max();
  AppendEach({{.trace_id = MakeTraceId(1),
               .span_id = MakeSpanId(1),
               .parent_span_id = MakeSpanId(9),
               .start_unix_ns = kLast,
               .end_unix_ns = kLast - 1}});
  EXPECT_THAT(MatchingSpans(Is(Intrinsic::kStart, Value::Int(kMax))), ElementsAre(1));
  EXPECT_THAT(MatchingSpans(Is(Intrinsic::kDuration, Value::Int(-1))), ElementsAre(1));
  EXPECT_THAT(MatchingSpans(Is(Intrinsic::kTraceDuration, Value::Int(0))), ElementsAre(1));
  EXPECT_THAT(MatchingSpans(Has(Field::Of(Intrinsic::kTraceRootName), Comparison::kIsAbsent)), ElementsAre(1));
}

}  // namespace
}  // namespace spanloom::store
