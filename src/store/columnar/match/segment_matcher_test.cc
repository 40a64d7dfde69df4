// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/match/segment_matcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/rng.h"
#include "base/text.h"
#include "store/columnar/match/text_demand.h"
#include "store/columnar/segment/segment_builder.h"
#include "store/columnar/segment/testing/memory_file.h"
#include "store/conformance/request_builder.h"
#include "store/conformance/stored_traces.h"
#include "store/scan/predicate_matcher.h"

namespace spanloom::store::columnar {
namespace {

using enum Comparison;

std::unique_ptr<const SegmentReader> ReaderOf(const std::vector<Trace>& traces) {
  auto content = std::make_shared<std::string>();  // shared with the reader
  MemoryFile target(content);
  SegmentBuilder builder(target);
  for (const Trace& trace : traces) builder.Add(trace, 1);
  EXPECT_TRUE(builder.Finish().ok());
  auto reader = SegmentReader::Open(std::make_unique<MemoryFile>(content));
  EXPECT_TRUE(reader.ok()) << reader.status();
  return *std::move(reader);
}

// Spans whose fields and values collide, beside such that stand alone; many enough for several pages.
class RandomSpans {
 public:
  explicit RandomSpans(uint64_t seed) : rng_(seed) {}

  std::vector<Trace> Traces(size_t count) {
    std::vector<Trace> traces;
    for (uint64_t i = 0; i < count; ++i) {
      RequestBuilder builder;
      for (uint64_t origin = 1 + rng_.Below(2); origin > 0; --origin) {
        builder.From(NextResource(), Once(2) ? StrCat("scope-", rng_.Below(2)) : "", Once(3) ? "1" : "",
                     NextAttributes(2));
        for (uint64_t left = 1 + rng_.Below(5); left > 0; --left) builder.Add(NextSpan(i));
      }
      traces.push_back(TraceOf(builder.Build()));
    }
    return traces;
  }

  Predicate NextPredicate(int depth) {
    if (depth == 0 || Once(3)) return Predicate(NextCondition());
    if (Once(6)) return Predicate::Not(NextPredicate(depth - 1));
    std::vector<Predicate> parts;
    for (uint64_t left = rng_.Below(4); left > 0; --left) parts.push_back(NextPredicate(depth - 1));
    return Once(2) ? Predicate::All(std::move(parts)) : Predicate::Any(std::move(parts));
  }

  Condition NextCondition() {
    static const std::vector<Value> operands = {Value::String("a"),
                                                Value::String(""),
                                                Value::String("service-1"),
                                                Value::String("1"),
                                                Value::Bool(true),
                                                Value::Bool(false),
                                                Value::Int(1),
                                                Value::Int(0),
                                                Value::Int(-3),
                                                Value::Int(500),
                                                Value::Double(0.5),
                                                Value::Double(-1e300),
                                                Value::Double(std::numeric_limits<double>::quiet_NaN()),
                                                Value::Bytes("a")};
    static const std::vector<std::string> texts = {"a",   "1",  "true",  "false",  "[]",           "",        "0.5",
                                                   "NaN", "-3", "ERROR", "server", R"({"k":"a"})", "Infinity"};
    Condition condition;
    do {
      condition.field = NextField();
      condition.comparison = static_cast<Comparison>(rng_.Below(11));
      condition.operand = operands[rng_.Below(operands.size())];
      if (Once(4)) condition.operand = Value::String(Unique(rng_.Below(1'000)));
      if (condition.comparison == kHasText) condition.operand = Value::String(texts[rng_.Below(texts.size())]);
      if (condition.comparison >= kExists) condition.operand = {};
    } while (!condition.Validate().ok());
    return condition;
  }

 private:
  bool Once(uint64_t in) { return rng_.Below(in) == 0; }
  // A text that goes to the pool.
  static std::string Unique(uint64_t number) { return StrCat("unique-text-", number * 2'654'435'761); }

  std::string NextKey() {
    static const std::vector<std::string> keys = {
        "a", "b", "span.kind", "error", "otel.status_code", "otel.scope.name", "long", "w3c.tracestate"};
    return keys[rng_.Below(keys.size())];
  }

  Field NextField() {
    if (Once(2)) return Field::Attribute(static_cast<AttributeScope>(rng_.Below(7)), NextKey());
    return Field::Of(static_cast<Intrinsic>(1 + rng_.Below(static_cast<uint64_t>(Intrinsic::kTraceErrorCount))));
  }

  AttributeValue NextValue() {
    switch (rng_.Below(12)) {
      case 0:
        return static_cast<int64_t>(rng_.Below(600));
      case 1:
        return int64_t{-3};
      case 2:
        return 0.5 * static_cast<double>(rng_.Below(4));
      case 3:
        return std::numeric_limits<double>::quiet_NaN();
      case 4:
        return -1e300;
      case 5:
        return Once(2);
      case 6:
        return MakeArray({int64_t{1}, "a"});
      case 7:
        return MakeMap({{"k", "a"}});
      case 8:
        return MakeBytes("a");
      case 9:
        return EncodedValue{};
      default:
        return Once(3) ? std::string("a") : Unique(rng_.Below(1'000));
    }
  }

  Attributes NextAttributes(uint64_t most) {
    Attributes attributes;
    for (uint64_t left = rng_.Below(most + 1); left > 0; --left) attributes.emplace_back(NextKey(), NextValue());
    return attributes;
  }

  Attributes NextResource() {
    Attributes resource = NextAttributes(2);
    if (!Once(5)) resource.emplace_back("service.name", StrCat("service-", rng_.Below(3)));
    return resource;
  }

  SpanSpec NextSpan(uint64_t trace) {
    SpanSpec span = {.trace_id = MakeTraceId(trace), .span_id = MakeSpanId(++last_span_)};
    if (Once(2)) span.parent_span_id = MakeSpanId(last_span_ - 1);
    span.name = Once(9) ? "" : Once(3) ? Unique(rng_.Below(1'000)) : StrCat("name-", rng_.Below(3));
    span.kind = static_cast<otlp::SpanKind>(rng_.Below(6));
    span.start_unix_ns = 1'000 * trace + rng_.Below(100);
    span.end_unix_ns = span.start_unix_ns + rng_.Below(900) - (Once(9) ? 20 : 0);
    span.attributes = NextAttributes(4);
    span.status_code = static_cast<otlp::StatusCode>(rng_.Below(3));
    if (Once(3)) span.status_message = Once(2) ? "a" : Unique(rng_.Below(1'000));
    if (Once(4)) span.trace_state = "a=1";
    for (uint64_t left = Once(3) ? rng_.Below(4) : 0; left > 0; --left) {
      span.events.push_back({.time_unix_ns = span.start_unix_ns + rng_.Below(600),
                             .name = Once(2) ? "a" : "e",
                             .attributes = NextAttributes(2)});
    }
    if (Once(4)) span.links.push_back({.trace_id = MakeTraceId(7), .span_id = MakeSpanId(8)});
    return span;
  }

  Rng rng_;
  uint64_t last_span_ = 0;
};

// Compares with the one definition, span by span. Returns how many rows were not decided.
size_t ExpectAgrees(const Predicate& predicate, const SegmentReader& reader, const std::vector<Trace>& traces) {
  SegmentMatcher matcher(predicate, reader);
  scan::PredicateMatcher judge(predicate);
  scan::ReadMeter meter({}, Clock::System());
  scan::TraceReading reading;
  const auto may_match = matcher.MayMatch();
  EXPECT_TRUE(may_match.ok()) << may_match.status();
  const bool may_be_met = TextDemand(predicate).MayBeMetBy(reader);
  size_t undecided = 0;
  uint64_t row = 0;
  TraceTableReader table(reader);
  std::unique_ptr<PageColumns> page;
  RowSet set = RowSet::None(0);
  for (const Trace& trace : traces) {
    EXPECT_TRUE(reading.Read(trace.id, trace.spans, meter).ok());
    for (size_t ordinal = 0; ordinal < reading.size(); ++ordinal, ++row) {
      if (row % kPageRows == 0) {
        page = std::make_unique<PageColumns>(reader, table, row / kPageRows);
        auto matched = matcher.Match(*page);
        EXPECT_TRUE(matched.ok()) << matched.status() << ' ' << predicate.ToString();
        if (!matched.ok()) return 0;
        set = *std::move(matched);
      }
      const bool matches = judge.Matches(reading, ordinal);
      const size_t place = row % kPageRows;
      if (set.Must(place) != set.May(place)) ++undecided;
      const bool agrees = matches ? set.May(place) && *may_match && may_be_met : !set.Must(place);
      EXPECT_TRUE(agrees) << predicate.ToString() << " of row " << row << ": " << matches;
      if (!agrees) return undecided;
    }
  }
  return undecided;
}

TEST(SegmentMatcher, AgreesWithTheDefinitionWhateverIsAsked) {
  RandomSpans random(1);
  const std::vector<Trace> traces = random.Traces(1'500);
  const auto reader = ReaderOf(traces);
  ASSERT_GT(reader->index().pages().size(), 1);
  for (int i = 0; i < 400 && !testing::Test::HasFailure(); ++i) ExpectAgrees(random.NextPredicate(2), *reader, traces);
}

// Scenario: segments of two traces, so that most values are in few of them.
// Guarantees: many are ruled out by the texts that a predicate takes, and none that has a row which meets it.
TEST(TextDemandProperty, RulesOutOnlyWhatCannotMatch) {
  RandomSpans random(2);
  int ruled_out = 0;
  for (int segment = 0; segment < 400 && !testing::Test::HasFailure(); ++segment) {
    const std::vector<Trace> traces = random.Traces(2);
    const auto reader = ReaderOf(traces);
    for (int i = 0; i < 100; ++i) {
      const Predicate predicate = random.NextPredicate(2);
      ExpectAgrees(predicate, *reader, traces);
      ruled_out += TextDemand(predicate).MayBeMetBy(*reader) ? 0 : 1;
    }
  }
  EXPECT_GT(ruled_out, 100);
}

// As model servers send them, each alone in its trace.
std::vector<Trace> PlainTraces(size_t count) {
  std::vector<Trace> traces;
  for (uint64_t i = 0; i < count; ++i) {
    const SpanSpec span = {
        .trace_id = MakeTraceId(i),
        .span_id = MakeSpanId(i),
        .name = i % 3 == 0 ? "prefill" : "decode",
        .kind = otlp::SpanKind::kServer,
        .start_unix_ns = 1'000 * i,
        .end_unix_ns = 1'000 * i + i % 700,
        .attributes = {{"request.id", StrCat("chatcmpl-", i * 2'654'435'761)},
                       {"tokens", static_cast<int64_t>(i % 100)},
                       {"ttft", 0.001 * static_cast<double>(i)}},
        .events = {
            {.time_unix_ns = 1'000 * i + 1, .name = "token", .attributes = {{"n", static_cast<int64_t>(i % 7)}}}}};
    traces.push_back(TraceOf(RequestBuilder().FromService(i % 2 == 0 ? "even" : "odd").Add(span).Build()));
  }
  return traces;
}

TEST(SegmentMatcher, DecidesWhatPeopleAskFor) {
  const std::vector<Trace> traces = PlainTraces(1'000);
  const auto reader = ReaderOf(traces);
  const auto attribute = [](AttributeScope scope, std::string key, Comparison comparison, Value operand) {
    return Predicate({.field = Field::Attribute(scope, std::move(key)), .comparison = comparison, .operand = operand});
  };
  const auto of = [](Intrinsic intrinsic, Comparison comparison, Value operand) {
    return Predicate({.field = Field::Of(intrinsic), .comparison = comparison, .operand = operand});
  };
  for (const Predicate& predicate :
       {of(Intrinsic::kService, kEqual, Value::String("even")), of(Intrinsic::kName, kEqual, Value::String("prefill")),
        of(Intrinsic::kName, kMatches, Value::String("pre.*")), of(Intrinsic::kDuration, kGreater, Value::Int(600)),
        of(Intrinsic::kStatus, kEqual, Value::Int(2)), of(Intrinsic::kEventName, kEqual, Value::String("token")),
        attribute(AttributeScope::kSpan, "request.id", kEqual, Value::String(StrCat("chatcmpl-", 77 * 2'654'435'761))),
        attribute(AttributeScope::kAnywhere, "tokens", kHasText, Value::String("17")),
        attribute(AttributeScope::kAnywhere, "error", kHasText, Value::String("true")),
        attribute(AttributeScope::kSpanThenResource, "ttft", kGreaterOrEqual, Value::Double(0.9)),
        attribute(AttributeScope::kEvent, "n", kEqual, Value::Int(3)),
        attribute(AttributeScope::kSpan, "no.such.key", kExists, {})}) {
    EXPECT_EQ(ExpectAgrees(predicate, *reader, traces), 0) << predicate.ToString();
  }
}

TEST(SegmentMatcher, SaysOfTheWholeSegmentThatNothingCanMatch) {
  const auto reader = ReaderOf(PlainTraces(1'000));
  const auto may_match = [&](const Field& field, Comparison comparison, const Value& operand) {
    const Predicate predicate({.field = field, .comparison = comparison, .operand = operand});
    return *SegmentMatcher(predicate, *reader).MayMatch();
  };
  const Field id = Field::Attribute(AttributeScope::kAnywhere, "request.id");
  const auto is_ruled_out = [&](const Field& field, Comparison comparison, const Value& operand) {
    const Predicate predicate({.field = field, .comparison = comparison, .operand = operand});
    return !TextDemand(Predicate::All({Predicate(), predicate})).MayBeMetBy(*reader);
  };
  EXPECT_TRUE(is_ruled_out(id, kEqual, Value::String("not there")));
  EXPECT_TRUE(is_ruled_out(id, kHasText, Value::String("not there")));
  EXPECT_TRUE(is_ruled_out(Field::Attribute(AttributeScope::kResource, "a"), kEqual, Value::String("not there")));
  EXPECT_FALSE(is_ruled_out(id, kHasText, Value::String("17")));
  EXPECT_FALSE(is_ruled_out(id, kNotEqual, Value::String("not there")));
  EXPECT_FALSE(is_ruled_out(id, kEqual, Value::String(StrCat("chatcmpl-", 77 * 2'654'435'761))));
  EXPECT_FALSE(may_match(id, kEqual, Value::String("not there")));
  EXPECT_FALSE(may_match(id, kHasText, Value::String("not there")));
  EXPECT_FALSE(may_match(id, kLess, Value::Int(1)));
  EXPECT_FALSE(may_match(Field::Attribute(AttributeScope::kSpan, "no.such.key"), kExists, {}));
  EXPECT_FALSE(may_match(Field::Of(Intrinsic::kService), kEqual, Value::String("not there")));
  EXPECT_FALSE(may_match(Field::Of(Intrinsic::kName), kEqual, Value::String("not there")));
  EXPECT_TRUE(may_match(id, kEqual, Value::String(StrCat("chatcmpl-", 77 * 2'654'435'761))));
  EXPECT_TRUE(may_match(id, kNotEqual, Value::String("not there")));
  EXPECT_TRUE(may_match(Field::Of(Intrinsic::kTraceSpanCount), kEqual, Value::Int(1)));
}

}  // namespace
}  // namespace spanloom::store::columnar
