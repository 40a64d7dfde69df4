// SPDX-License-Identifier: Apache-2.0

#include "ottl/condition.h"

#include <absl/strings/str_replace.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "base/testing/test_data.h"
#include "otlp/batch.h"
#include "otlp/validate.h"
#include "otlp/wire/writer.h"

namespace spanloom::ottl {
namespace {

using otlp::wire::Writer;
using testing::HasSubstr;

template <typename WriteValue>
void Attribute(Writer& writer, uint32_t field, std::string_view key, WriteValue write_value) {
  const auto attribute = writer.Begin(field);
  writer.Bytes(1, key);
  const auto value = writer.Begin(2);
  write_value();
  writer.End(value);
  writer.End(attribute);
}

constexpr std::string_view kTraceId("\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0c", 16);
constexpr std::string_view kSpanId("\xee\xe1\x9b\x7e\xc3\xc1\xb1\x74", 8);
constexpr uint64_t kStartNs = 1'700'000'000'000'000'000;

void WriteSpan(Writer& w) {
  w.Bytes(1, kTraceId);
  w.Bytes(2, kSpanId);
  w.Bytes(3, "a=b");
  w.Bytes(5, "GET");
  w.Varint(6, 2);
  w.Fixed64(7, kStartNs);
  w.Fixed64(8, kStartNs + 1'000'000'000);
  Attribute(w, 9, "s", [&] { w.Bytes(1, "abc"); });
  Attribute(w, 9, "s", [&] { w.Bytes(1, "second"); });
  Attribute(w, 9, "i", [&] { w.Varint(3, 5); });
  Attribute(w, 9, "neg", [&] { w.Varint(3, ~uint64_t{0}); });
  Attribute(w, 9, "d", [&] { w.Double(4, 2.5); });
  Attribute(w, 9, "nan", [&] { w.Double(4, std::numeric_limits<double>::quiet_NaN()); });
  Attribute(w, 9, "b", [&] { w.Varint(2, 1); });
  Attribute(w, 9, "none", [] {});
  Attribute(w, 9, "arr", [&] { w.Bytes(5, "\x0a\x03\x0a\x01x\x0a\x03\x0a\x01y"); });
  Attribute(w, 9, "kv", [&] {
    const auto map = w.Begin(6);
    Attribute(w, 1, "a", [&] { w.Varint(3, 1); });
    w.End(map);
  });
  Attribute(w, 9, "bytes", [&] { w.Bytes(7, "\x01\x02"); });
  const auto event = w.Begin(11);
  w.Fixed64(1, kStartNs + 5);
  w.Bytes(2, "first");
  Attribute(w, 3, "e", [&] { w.Bytes(1, "of the event"); });
  w.End(event);
  const auto status = w.Begin(15);
  w.Bytes(2, "boom");
  w.Varint(3, 2);
  w.End(status);
  w.Fixed32(16, 1);
}

// The span that data/collector/ottl_conditions.txt was recorded with, as far as the conditions tell its content.
otlp::Slice FixedSpan() {
  std::string out;
  Writer writer(out);
  const auto resource_spans = writer.Begin(1);
  const auto resource = writer.Begin(1);
  Attribute(writer, 1, "service.name", [&] { writer.Bytes(1, "svc"); });
  Attribute(writer, 1, "only.resource", [&] { writer.Varint(3, 1); });
  writer.End(resource);
  const auto scope_spans = writer.Begin(2);
  const auto scope = writer.Begin(1);
  writer.Bytes(1, "lib");
  writer.Bytes(2, "1.0");
  Attribute(writer, 3, "s", [&] { writer.Bytes(1, "of the scope"); });
  writer.End(scope);
  const auto span = writer.Begin(2);
  WriteSpan(writer);
  writer.End(span);
  writer.End(scope_spans);
  writer.End(resource_spans);
  EXPECT_TRUE(otlp::ValidateTraces(out).ok());
  return {Bytes(std::move(out)), 1};
}

bool MatchesFixedSpan(
    const Conditions& conditions, ErrorHandler on_error = [](std::string_view, const Status&) { return true; }) {
  return FixedSpan().DropIf([&](const otlp::SpanContext& span) { return conditions.Match(Scene(span), on_error); }) ==
         1;
}

StatusOr<Conditions> Compiled(const std::vector<std::string>& texts) {
  return Conditions::Compile(Context::kSpan, texts);
}

bool Matches(const std::string& text) {
  const auto condition = Compiled({text});
  EXPECT_TRUE(condition.ok()) << text << ": " << condition.status();
  return condition.ok() && MatchesFixedSpan(*condition);
}

// What evaluating `text` fails with; "" if it does not.
std::string Failure(const std::string& text) {
  const auto condition = Compiled({text});
  EXPECT_TRUE(condition.ok()) << text << ": " << condition.status();
  std::string failure;
  if (!condition.ok()) return failure;
  EXPECT_FALSE(MatchesFixedSpan(*condition, [&](std::string_view, const Status& error) {
    failure = std::string(error.message());
    return true;
  }));
  return failure;
}

std::string Refusal(std::string_view text) {
  const Status status = CheckCondition(Context::kSpan, text);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(status.message());
}

struct RecordedCondition {
  char outcome = ' ';  // T matched, F did not, X refused
  std::string text;
  std::string message;  // of X
};

std::vector<RecordedCondition> ReadRecordedConditions() {
  constexpr std::string_view kArrow = "  =>  ";
  constexpr std::string_view kSource = "Error: processors::filter: ";
  std::ifstream file(TestData() / "collector" / "ottl_conditions.txt");
  std::vector<RecordedCondition> conditions;
  for (std::string line; std::getline(file, line);) {
    if (line.size() < 3 || line[0] == '#' || line[0] == '=') continue;
    const size_t arrow = line.find(kArrow);
    std::string text = line.substr(2, arrow - 2);
    while (text.empty() || text.back() == ' ') text.pop_back();
    std::string message = arrow == std::string::npos ? "" : line.substr(arrow + kArrow.size() + kSource.size());
    conditions.push_back({line[0], text.substr(text.find_first_not_of(' ')), message});
  }
  return conditions;
}

// Scenario: the conditions that were put to the real Collector with one span, and what it said.
// Guarantees: the same answers, and the same words for what it refuses.
TEST(Conditions, AgreeWithTheCollector) {
  size_t count = 0;
  for (const RecordedCondition& recorded : ReadRecordedConditions()) {
    ++count;
    if (recorded.outcome == 'X') {
      EXPECT_EQ(Refusal(recorded.text), recorded.message);
    } else {
      EXPECT_EQ(Matches(recorded.text), recorded.outcome == 'T') << recorded.text;
    }
  }
  EXPECT_EQ(count, 65u);
}

TEST(Conditions, TakesAMissingOrEmptyAttributeAsNil) {
  EXPECT_TRUE(Matches(R"(attributes["none"] == nil)"));
  EXPECT_TRUE(Matches(R"(attributes["missing"] != "abc")"));
  EXPECT_FALSE(Matches(R"(attributes["s"] == nil)"));
  EXPECT_TRUE(Matches(R"(nil != attributes["s"])"));
  EXPECT_TRUE(Matches(R"(attributes["arr"] != nil)"));
}

TEST(Conditions, TakesOtherTypesAsUnequal) {
  EXPECT_FALSE(Matches(R"(attributes["i"] == "5")"));
  EXPECT_FALSE(Matches(R"(attributes["b"] == 1)"));
  EXPECT_TRUE(Matches(R"(attributes["b"] != 1)"));
  EXPECT_FALSE(Matches(R"(attributes["bytes"] == "\x01\x02")"));
  EXPECT_TRUE(Matches(R"(attributes["kv"] != "")"));
  EXPECT_FALSE(Matches(R"("1" == 1)"));
}

TEST(Conditions, ComparesIntegersAndDoublesByNumber) {
  EXPECT_TRUE(Matches(R"(5.0 == attributes["i"])"));
  EXPECT_FALSE(Matches(R"(attributes["d"] == 2)"));
  EXPECT_TRUE(Matches(R"(attributes["neg"] == -1)"));
  EXPECT_TRUE(Matches("1 == 1.0"));
  EXPECT_TRUE(Matches(R"(attributes["nan"] != 0.0)"));
}

TEST(Conditions, ReadsEachSourceOfAttributesByItself) {
  EXPECT_TRUE(Matches(R"(attributes["s"] == "abc" and scope.attributes["s"] == "of the scope")"));
  EXPECT_TRUE(Matches(R"(span.attributes["only.resource"] == nil and resource.attributes["only.resource"] == 1)"));
  EXPECT_TRUE(Matches(R"(instrumentation_scope.name == "lib" and instrumentation_scope.attributes["s"] != nil)"));
}

TEST(Conditions, KnowTheEnums) {
  EXPECT_TRUE(Matches("kind == SPAN_KIND_SERVER and status.code == STATUS_CODE_ERROR"));
  EXPECT_FALSE(Matches("span.kind == SPAN_KIND_CLIENT"));
}

// Scenario: each path of the span, its resource and its scope.
// Guarantees: it reads what is there.
TEST(Conditions, ReadEveryPath) {
  for (const char* text : {
           R"(trace_id == TraceID(0x5b8efff798038103d269b633813fc60c))",
           R"(trace_id.string == "5b8efff798038103d269b633813fc60c")",
           R"(span_id == SpanID("eee19b7ec3c1b174"))",
           R"(parent_span_id == SpanID(0x0000000000000000))",
           R"(trace_state["a"] == "b" and trace_state["c"] == "")",
           R"(kind.string == "Server" and kind.deprecated_string == "SPAN_KIND_SERVER")",
           R"(start_time_unix_nano == 1700000000000000000 and end_time_unix_nano == 1700000001000000000)",
           R"(end_time - start_time == Duration("1s"))",
           R"(attributes["kv"]["a"] == 1 and attributes["arr"][1] == "y" and attributes["arr"][0 + 1] == "y")",
           R"(attributes[Concat(["a", "rr"], "")][0] == "x")",
           R"(Len(attributes) == 11 and Len(resource.attributes) == 2)",
           R"(dropped_attributes_count == 0 and dropped_events_count == 0 and dropped_links_count == 0)",
           R"(events != nil and links != nil)",
           R"(resource.schema_url == "" and scope.schema_url == "" and resource.dropped_attributes_count == 0)",
           R"(instrumentation_scope.name == "lib" and scope.dropped_attributes_count == 0)",
           R"(cache["x"] == nil)",
       }) {
    EXPECT_TRUE(Matches(text)) << text;
  }
}

TEST(Conditions, RefuseKeysThatAPathDoesNotTake) {
  EXPECT_THAT(Refusal(R"(resource["a"].attributes["b"] == nil)"), HasSubstr("not a valid path"));
  EXPECT_THAT(Refusal(R"(name["a"] == nil)"), HasSubstr("takes no key"));
  EXPECT_THAT(Refusal(R"(status["a"].code == nil)"), HasSubstr("takes no key"));
  EXPECT_THAT(Refusal("span.resource.attributes[\"a\"] == 1"), HasSubstr("not a valid path"));
  EXPECT_THAT(Refusal("spanevent.name == \"a\""), HasSubstr("not a valid path"));
  EXPECT_THAT(Refusal("span == nil"), HasSubstr("not a valid path"));
  EXPECT_THAT(Refusal("kind.foo == nil"), HasSubstr("segment \"foo\" from path \"kind.foo\""));
}

TEST(Conditions, CompareTwoPaths) {
  EXPECT_FALSE(Matches(R"(name == attributes["s"])"));
  EXPECT_TRUE(Matches(R"(attributes["i"] > attributes["d"])"));
  EXPECT_TRUE(Matches(R"(4 < attributes["i"] and 5 <= attributes["i"])"));
}

// Scenario: conditions that are well formed but have no value for this span.
// Guarantees: the caller is told why; the condition does not hold, negated neither.
TEST(Conditions, SayWhyTheyFail) {
  EXPECT_EQ(Failure(R"(attributes["i"] / 0 == 1)"), "attempted to divide by 0");
  EXPECT_EQ(Failure(R"(not attributes["arr"][5] == "x")"), "index 5 out of bounds");
  EXPECT_EQ(Failure(R"(attributes["s"]["x"] == 1)"), "type string does not support string indexing");
  EXPECT_EQ(Failure(R"(HasPrefix(attributes["i"], "a"))"), "expected string but got int64");
  EXPECT_EQ(Failure(R"(attributes["s"] + 1 == 2)"), "a string must be int64, float64, time.Time or time.Duration");
  EXPECT_EQ(Failure("attributes[0] == nil"), "type pcommon.Map does not support int64 indexing");
  EXPECT_EQ(Failure(R"(ParseJSON("{}")["a"] == nil)"), "key not found in map");
  EXPECT_EQ(Failure("String(1)"), "value returned from a converter is not a boolean");
  EXPECT_EQ(Failure(R"(-attributes["s"] == 1 or name == "GET")"), "unsupported unary minus operation on type string");
}

// Scenario: conditions that fail, joined with what is known from the text alone.
// Guarantees: literals decide, wherever they stand, or are left out; what a converter makes of literals does not, as in
//   the Collector.
TEST(Conditions, AreDecidedByLiterals) {
  const std::string fails = R"(ParseJSON("x")["a"] == 1)";
  for (const char* holds : {"%s or true", "true or %s", "%s or 1 == 1", "not (%s and false)", "not (false and %s)",
                            "(%s or true) and name == \"GET\"", "not false and (false or name == \"GET\")"}) {
    const std::string text = absl::StrReplaceAll(holds, {{"%s", fails}});
    EXPECT_TRUE(Matches(text)) << text;
  }
  EXPECT_FALSE(Matches("false or (true and name == \"POST\")"));
  for (const char* text : {"%s or Len(\"a\") == 1", "%s or 1 + 1 == 2", "%s and true", "%s or IsMatch(\"a\", \"a\")"}) {
    EXPECT_NE(Failure(absl::StrReplaceAll(text, {{"%s", fails}})), "") << text;
  }
}

// Scenario: what a span is made of, compared as a whole.
// Guarantees: each equals itself alone.
TEST(Conditions, CompareStatusEventsAndLinks) {
  EXPECT_TRUE(Matches("events == events and links == links and status == status and [events] == [events]"));
  EXPECT_TRUE(Matches("events != links and status != nil and not (events < events)"));
}

// Scenario: a list with a condition that fails before one that holds.
// Guarantees: whoever ignores the failure gets the match, whoever does not gets none.
TEST(Conditions, GoOnAfterAFailureIfTheCallerWants) {
  const auto conditions = Compiled({"1 / 0 == attributes[\"i\"]", R"(name == "GET")"});
  ASSERT_TRUE(conditions.ok());
  EXPECT_TRUE(MatchesFixedSpan(*conditions));
  EXPECT_FALSE(MatchesFixedSpan(*conditions, [](std::string_view, const Status&) { return false; }));
}

// Scenario: an event that stands in the span.
// Guarantees: paths of the event, its span, resource and scope are read.
TEST(Conditions, OfEventsSeeAllAroundThem) {
  const std::vector<std::string> texts = {
      R"(name == "first" and attributes["e"] == "of the event" and time_unix_nano - span.start_time_unix_nano == 5)"
      R"( and spanevent.event_index == 0 and resource.attributes["service.name"] == "svc" and scope.name == "lib")"};
  const auto conditions = Conditions::Compile(Context::kSpanEvent, texts);
  ASSERT_TRUE(conditions.ok()) << conditions.status();
  size_t matches = 0;
  FixedSpan().ForEach([&](const otlp::SpanContext& span) {
    size_t index = 0;
    for (const otlp::EventView event : span.span.events()) {
      matches += conditions->Match(Scene(span, event, index++), [](std::string_view, const Status&) { return true; });
    }
  });
  EXPECT_EQ(matches, 1u);
}

TEST(Conditions, CombinesConditionsByLogic) {
  EXPECT_TRUE(Matches(R"(not (name == "POST" or kind == 3) and attributes["i"] == 5)"));
  EXPECT_FALSE(Matches(R"(not name == "GET")"));
  EXPECT_TRUE(Matches(R"(name == "POST" or name == "GET")"));
  EXPECT_FALSE(Matches(R"(name == "GET" and attributes["s"] == "second")"));
}

TEST(Conditions, MatchIfAnyConditionIsTrue) {
  const auto matches = [](const std::vector<std::string>& texts) {
    const auto conditions = Compiled(texts);
    EXPECT_TRUE(conditions.ok()) << conditions.status();
    return conditions.ok() && MatchesFixedSpan(*conditions);
  };
  EXPECT_FALSE(matches({}));
  EXPECT_FALSE(matches({R"(name == "POST")", R"(attributes["s"] == "x")"}));
  EXPECT_TRUE(matches({R"(name == "POST")", R"(attributes["s"] == "abc")"}));
  EXPECT_TRUE(matches({R"(attributes["s"] == "x")", R"(attributes["s"] == "abc")"})) << "looked up together";
  EXPECT_TRUE(matches({R"(name == "x")", R"(attributes["s"] == "x")", R"("GET" == name)"})) << "looked up together";
  EXPECT_FALSE(matches({R"(name == "x")", R"(name == "y")", R"(attributes["s"] == "GET")"}));
}

// Scenario: more attributes are named than the buffer on the stack holds.
// Guarantees: each is still looked up.
TEST(Conditions, LookUpManyAttributes) {
  std::vector<std::string> texts;
  for (int i = 0; i < 50; ++i) texts.push_back("attributes[\"k" + std::to_string(i) + "\"] != nil");
  EXPECT_FALSE(MatchesFixedSpan(*Compiled(texts)));
  texts.emplace_back(R"(attributes["bytes"] != nil)");
  EXPECT_TRUE(MatchesFixedSpan(*Compiled(texts)));
}

TEST(Conditions, QuoteTheConditionThatIsWrong) {
  const auto conditions = Compiled({"true", "name = \"x\""});
  EXPECT_EQ(conditions.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(conditions.status().message()), HasSubstr("\"name = \\\"x\\\"\""));
}

TEST(Conditions, NameWhatIsWrongWithArguments) {
  EXPECT_THAT(Refusal("HasPrefix(name)"),
              HasSubstr("error while parsing arguments for call to \"HasPrefix\": incorrect number of arguments. "
                        "Expected: 2 Received: 1"));
  EXPECT_THAT(Refusal(R"(HasPrefix(target=name, "a"))"), HasSubstr("unnamed argument used after named argument"));
  EXPECT_THAT(Refusal(R"(HasPrefix(name, suffix="a"))"), HasSubstr("no such parameter: suffix"));
  EXPECT_TRUE(Matches(R"(HasPrefix(prefix="G", target=name))"));
  EXPECT_TRUE(Matches(R"(ParseCSV("a", "x", header_delimiter="|") == ParseCSV("a", "x", headerDelimiter="|"))"));
}

}  // namespace
}  // namespace spanloom::ottl
