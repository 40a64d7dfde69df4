// SPDX-License-Identifier: Apache-2.0

#include "ottl/condition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <string>
#include <vector>

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

void WriteSpan(Writer& w) {
  w.Bytes(3, "a=b");
  w.Bytes(5, "GET");
  w.Varint(6, 2);
  Attribute(w, 9, "s", [&] { w.Bytes(1, "abc"); });
  Attribute(w, 9, "s", [&] { w.Bytes(1, "second"); });
  Attribute(w, 9, "i", [&] { w.Varint(3, 5); });
  Attribute(w, 9, "neg", [&] { w.Varint(3, ~uint64_t{0}); });
  Attribute(w, 9, "d", [&] { w.Double(4, 2.5); });
  Attribute(w, 9, "nan", [&] { w.Double(4, std::numeric_limits<double>::quiet_NaN()); });
  Attribute(w, 9, "b", [&] { w.Varint(2, 1); });
  Attribute(w, 9, "none", [] {});
  Attribute(w, 9, "arr", [&] { w.Bytes(5, ""); });
  Attribute(w, 9, "kv", [&] { w.Bytes(6, ""); });
  Attribute(w, 9, "bytes", [&] { w.Bytes(7, "\x01\x02"); });
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

bool MatchesFixedSpan(const SpanConditions& conditions) {
  return FixedSpan().DropIf([&](const otlp::SpanContext& span) { return conditions.Match(span); }) == 1;
}

bool Matches(std::string_view text) {
  const auto condition = CompileSpanCondition(text);
  EXPECT_TRUE(condition.ok()) << text << ": " << condition.status();
  return condition.ok() && MatchesFixedSpan(*condition);
}

std::string Refusal(std::string_view text) {
  const auto condition = CompileSpanCondition(text);
  EXPECT_EQ(condition.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(condition.status().message());
}

// The recorded conditions that only use the part of OTTL that is understood.
const std::set<std::string> kSupported = {
    R"(span.name == "GET")",
    R"(attributes["s"] == "abc")",
    R"(attributes["missing"] == "abc")",
    R"(attributes["missing"] == nil)",
    R"(nil == nil)",
    R"(attributes["i"] == 5.0)",
    R"(attributes["i"] != "5")",
    R"(attributes["d"] == 2.5)",
    R"(attributes["b"] == true)",
    R"(kind == 2)",
    R"(status.message == "boom")",
    R"(trace_state == "a=b")",
    R"(resource.attributes["service.name"] == "svc")",
    R"(scope.version == "1.0")",
    R"(flags == 1)",
    R"(true or false and false)",
    R"(true and not false)",
    R"("a" == "a")",
};

struct RecordedCondition {
  char outcome = ' ';  // T matched, F did not, X refused
  std::string text;
};

std::vector<RecordedCondition> ReadRecordedConditions() {
  std::ifstream file(std::filesystem::path(SPANLOOM_TEST_DATA) / "collector" / "ottl_conditions.txt");
  std::vector<RecordedCondition> conditions;
  for (std::string line; std::getline(file, line);) {
    if (line.size() < 3 || line[0] == '#' || line[0] == '=') continue;
    std::string text = line.substr(2, line.find("  =>  ") - 2);
    while (text.empty() || text.back() == ' ') text.pop_back();
    conditions.push_back({line[0], text.substr(text.find_first_not_of(' '))});
  }
  return conditions;
}

// Scenario: the conditions that were put to the real Collector with one span, and what it said.
// Guarantees: those within the supported part give the same answer; all others are refused, not guessed.
TEST(SpanCondition, AgreesWithTheCollector) {
  std::set<std::string> seen;
  size_t refused = 0;
  for (const RecordedCondition& recorded : ReadRecordedConditions()) {
    if (kSupported.contains(recorded.text)) {
      EXPECT_EQ(Matches(recorded.text), recorded.outcome == 'T') << recorded.text;
      seen.insert(recorded.text);
    } else {
      EXPECT_EQ(CompileSpanCondition(recorded.text).status().code(), absl::StatusCode::kInvalidArgument)
          << recorded.text;
      ++refused;
    }
  }
  EXPECT_EQ(seen, kSupported);
  EXPECT_GT(refused, 30u);
}

TEST(SpanCondition, TakesAMissingOrEmptyAttributeAsNil) {
  EXPECT_TRUE(Matches(R"(attributes["none"] == nil)"));
  EXPECT_TRUE(Matches(R"(attributes["missing"] != "abc")"));
  EXPECT_FALSE(Matches(R"(attributes["s"] == nil)"));
  EXPECT_TRUE(Matches(R"(nil != attributes["s"])"));
  EXPECT_TRUE(Matches(R"(attributes["arr"] != nil)"));
}

TEST(SpanCondition, TakesOtherTypesAsUnequal) {
  EXPECT_FALSE(Matches(R"(attributes["i"] == "5")"));
  EXPECT_FALSE(Matches(R"(attributes["b"] == 1)"));
  EXPECT_TRUE(Matches(R"(attributes["b"] != 1)"));
  EXPECT_FALSE(Matches(R"(attributes["bytes"] == "\x01\x02")"));
  EXPECT_TRUE(Matches(R"(attributes["kv"] != "")"));
  EXPECT_FALSE(Matches(R"("1" == 1)"));
}

TEST(SpanCondition, ComparesIntegersAndDoublesByNumber) {
  EXPECT_TRUE(Matches(R"(5.0 == attributes["i"])"));
  EXPECT_FALSE(Matches(R"(attributes["d"] == 2)"));
  EXPECT_TRUE(Matches(R"(attributes["neg"] == -1)"));
  EXPECT_TRUE(Matches("1 == 1.0"));
  EXPECT_TRUE(Matches(R"(attributes["nan"] != 0.0)"));
}

TEST(SpanCondition, ReadsEachSourceOfAttributesByItself) {
  EXPECT_TRUE(Matches(R"(attributes["s"] == "abc" and scope.attributes["s"] == "of the scope")"));
  EXPECT_TRUE(Matches(R"(span.attributes["only.resource"] == nil and resource.attributes["only.resource"] == 1)"));
  EXPECT_TRUE(Matches(R"(instrumentation_scope.name == "lib" and instrumentation_scope.attributes["s"] != nil)"));
}

TEST(SpanCondition, KnowsTheEnums) {
  EXPECT_TRUE(Matches("kind == SPAN_KIND_SERVER and status.code == STATUS_CODE_ERROR"));
  EXPECT_FALSE(Matches("span.kind == SPAN_KIND_CLIENT"));
  EXPECT_THAT(Refusal("kind == SPAN_KIND_FOO"),
              AllOf(HasSubstr("1:9: enum symbol, SPAN_KIND_FOO, not found"), HasSubstr("SPAN_KIND_SERVER")));
}

TEST(SpanCondition, NamesThePathThatIsNotValidAndThoseThatAre) {
  EXPECT_THAT(
      Refusal("foo == 1"),
      AllOf(HasSubstr("unable to parse OTTL condition \"foo == 1\": 1:1: segment \"foo\" from path \"foo\" is not a "
                      "valid path nor a valid OTTL keyword for the span context"),
            HasSubstr("resource.attributes[\"...\"]"), HasSubstr("status.code")));
  EXPECT_THAT(Refusal("true and kind.string == \"Server\""),
              HasSubstr("1:10: segment \"kind\" from path \"kind.string\""));
  EXPECT_THAT(Refusal("span.resource.attributes[\"a\"] == 1"), HasSubstr("not a valid path"));
  EXPECT_THAT(Refusal("span == nil"), HasSubstr("not a valid path"));
}

TEST(SpanCondition, RefusesKeysThatAPathDoesNotTake) {
  EXPECT_THAT(Refusal("attributes == nil"), HasSubstr("needs exactly one key"));
  EXPECT_THAT(Refusal("attributes[0] == nil"), HasSubstr("needs exactly one key"));
  EXPECT_THAT(Refusal(R"(attributes["a"]["b"] == nil)"), HasSubstr("needs exactly one key"));
  EXPECT_THAT(Refusal(R"(resource["a"].attributes["b"] == nil)"), HasSubstr("needs exactly one key"));
  EXPECT_THAT(Refusal(R"(name["a"] == nil)"), HasSubstr("takes no key"));
  EXPECT_THAT(Refusal(R"(status["a"].code == nil)"), HasSubstr("takes no key"));
}

TEST(SpanCondition, RefusesToCompareTwoPaths) {
  EXPECT_THAT(Refusal(R"(name == attributes["s"])"), HasSubstr("1:6: comparing two paths is not supported"));
}

TEST(SpanCondition, CombinesConditionsByLogic) {
  EXPECT_TRUE(Matches(R"(not (name == "POST" or kind == 3) and attributes["i"] == 5)"));
  EXPECT_FALSE(Matches(R"(not name == "GET")"));
  EXPECT_TRUE(Matches(R"(name == "POST" or name == "GET")"));
  EXPECT_FALSE(Matches(R"(name == "GET" and attributes["s"] == "second")"));
}

TEST(SpanConditions, MatchIfAnyConditionIsTrue) {
  const auto matches = [](const std::vector<std::string>& texts) {
    const auto conditions = SpanConditions::Compile(texts);
    EXPECT_TRUE(conditions.ok()) << conditions.status();
    return conditions.ok() && MatchesFixedSpan(*conditions);
  };
  EXPECT_FALSE(matches({}));
  EXPECT_FALSE(matches({R"(name == "POST")", R"(attributes["s"] == "x")"}));
  EXPECT_TRUE(matches({R"(name == "POST")", R"(attributes["s"] == "abc")"}));
  EXPECT_TRUE(matches({R"(attributes["s"] == "x")", R"(attributes["s"] == "abc")"})) << "one slot for both";
}

// Scenario: more attributes are named than the buffer on the stack holds.
// Guarantees: each is still looked up.
TEST(SpanConditions, LookUpManyAttributes) {
  std::vector<std::string> texts;
  for (int i = 0; i < 50; ++i) texts.push_back("attributes[\"k" + std::to_string(i) + "\"] != nil");
  EXPECT_FALSE(MatchesFixedSpan(*SpanConditions::Compile(texts)));
  texts.emplace_back(R"(attributes["bytes"] != nil)");
  EXPECT_TRUE(MatchesFixedSpan(*SpanConditions::Compile(texts)));
}

TEST(SpanConditions, QuoteTheConditionThatIsWrong) {
  const auto conditions = SpanConditions::Compile(std::vector<std::string>{"true", "name = \"x\""});
  EXPECT_EQ(conditions.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(conditions.status().message()), HasSubstr("\"name = \\\"x\\\"\""));
}

}  // namespace
}  // namespace spanloom::ottl
