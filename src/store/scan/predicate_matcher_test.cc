// SPDX-License-Identifier: Apache-2.0

#include "store/scan/predicate_matcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <regex>

#include "base/rng.h"
#include "base/text.h"
#include "store/conformance/request_builder.h"
#include "store/conformance/stored_traces.h"

namespace spanloom::store::scan {
namespace {

using otlp::StatusCode;

// A span in the words of the test, with what it stands in.
struct World {
  Attributes resource;
  Attributes scope;
  SpanSpec span;
};

// What an attribute's values are, by the words of Comparison: an array's elements, each by itself.
struct Spelled {
  AttributeValue value;
  std::vector<Value> values;
  std::string text;  // as value_text.h writes it
};

std::vector<Spelled> AllSpellings() {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  return {{"a", {Value::String("a")}, "a"},
          {"ab", {Value::String("ab")}, "ab"},
          {"", {Value::String("")}, ""},
          {true, {Value::Bool(true)}, "true"},
          {int64_t{1}, {Value::Int(1)}, "1"},
          {int64_t{-3}, {Value::Int(-3)}, "-3"},
          {1.0, {Value::Double(1)}, "1"},
          {0.5, {Value::Double(0.5)}, "0.5"},
          {nan, {Value::Double(nan)}, "NaN"},
          {MakeBytes("a"), {Value::Bytes("a")}, "a"},
          {EncodedValue{}, {}, ""},
          {MakeArray({}), {}, "[]"},
          {MakeArray({int64_t{1}, "a", EncodedValue{}}), {Value::Int(1), Value::String("a")}, R"([1,"a",null])"},
          {MakeMap({{"k", "a"}}), {Value(Cell::String(R"({"k":"a"})", ValueKind::kText))}, R"({"k":"a"})"},
          {MakeArray({MakeArray({"a"})}), {Value(Cell::String(R"(["a"])", ValueKind::kText))}, R"([["a"]])"}};
}

class RandomWorlds {
 public:
  explicit RandomWorlds(uint64_t seed) : rng_(seed) {}

  World Next() {
    World world = {.resource = NextAttributes(), .scope = NextAttributes(), .span = {}};
    world.span = {.trace_id = MakeTraceId(1), .span_id = MakeSpanId(1), .attributes = NextAttributes()};
    if (rng_.Below(2) == 0) world.span.status_code = StatusCode::kError;
    for (uint64_t i = rng_.Below(3); i > 0; --i) {
      world.span.events.push_back({.time_unix_ns = 1, .name = "e", .attributes = NextAttributes()});
    }
    return world;
  }

  Condition NextCondition() {
    static const std::vector<Value> kOperands = {Value::String("a"), Value::String(""), Value::Bool(true),
                                                 Value::Int(1),      Value::Int(0),     Value::Double(0.5),
                                                 Value::Double(1),   Value::Bytes("a")};
    static const std::vector<std::string> kTexts = {"a", "1", "true", "false", "[]", "", R"({"k":"a"})", "NaN", "-3"};
    Condition condition = {.field = Field::Attribute(static_cast<AttributeScope>(rng_.Below(7)), NextKey())};
    do {
      condition.comparison = static_cast<Comparison>(rng_.Below(11));
      condition.operand = kOperands[rng_.Below(kOperands.size())];
      if (condition.comparison == Comparison::kHasText) condition.operand = Value::String(kTexts[rng_.Below(9)]);
      if (condition.comparison >= Comparison::kExists) condition.operand = {};
    } while (!condition.Validate().ok());
    return condition;
  }

  const Spelled& SpellingOf(const AttributeValue& value) const {
    const auto same = [&](const Spelled& spelled) { return TextOf(spelled.value) == TextOf(value); };
    return *std::find_if(spellings_.begin(), spellings_.end(), same);
  }

 private:
  std::string NextKey() {
    static const std::vector<std::string> kKeys = {"k", "l", "error"};
    return kKeys[rng_.Below(3)];
  }

  Attributes NextAttributes() {
    Attributes attributes;
    for (uint64_t i = rng_.Below(4); i > 0; --i) {
      attributes.emplace_back(NextKey(), spellings_[rng_.Below(spellings_.size())].value);
    }
    return attributes;
  }

  // Tells the spellings apart.
  static std::string TextOf(const AttributeValue& value) {
    std::string text = StrCat(value.index(), ":");
    if (const auto* encoded = std::get_if<EncodedValue>(&value)) return text + encoded->wire;
    if (const auto* string = std::get_if<std::string>(&value)) return text + *string;
    if (const auto* flag = std::get_if<bool>(&value)) return text + (*flag ? "t" : "f");
    if (const auto* number = std::get_if<int64_t>(&value)) return StrCat(text, *number);
    return StrCat(text, std::get<double>(value));
  }

  const std::vector<Spelled> spellings_ = AllSpellings();
  Rng rng_;
};

// Values and texts of a field.
struct Found {
  std::vector<Value> values;
  std::vector<std::string> texts;
};

void Collect(const Attributes& attributes, const std::string& key, const RandomWorlds& worlds, Found& found) {
  for (const auto& [name, value] : attributes) {
    if (name != key) continue;
    const Spelled& spelled = worlds.SpellingOf(value);
    found.values.insert(found.values.end(), spelled.values.begin(), spelled.values.end());
    found.texts.push_back(spelled.text);
  }
}

bool HasKey(const Attributes& attributes, const std::string& key) {
  return std::any_of(attributes.begin(), attributes.end(), [&](const auto& entry) { return entry.first == key; });
}

Found Collect(const Field& field, const World& world, const RandomWorlds& worlds) {
  Found found;
  const AttributeScope scope = field.scope;
  const bool is_anywhere = scope == AttributeScope::kAnywhere;
  const bool is_on_span = HasKey(world.span.attributes, field.key);
  if (scope == AttributeScope::kSpan || scope == AttributeScope::kSpanThenResource || is_anywhere) {
    Collect(world.span.attributes, field.key, worlds, found);
  }
  if (is_anywhere && field.key == "error") {
    const bool is_error = world.span.status_code == StatusCode::kError;
    found.values.push_back(Value::Bool(is_error));
    found.texts.emplace_back(is_error ? "true" : "false");
  }
  if (scope == AttributeScope::kResource || (scope == AttributeScope::kSpanThenResource && !is_on_span) ||
      is_anywhere) {
    Collect(world.resource, field.key, worlds, found);
  }
  if (scope == AttributeScope::kInstrumentation || is_anywhere) Collect(world.scope, field.key, worlds, found);
  if (scope == AttributeScope::kEvent || is_anywhere) {
    for (const EventSpec& event : world.span.events) Collect(event.attributes, field.key, worlds, found);
  }
  return found;
}

bool AnyCompares(const std::vector<Value>& values, const Value& operand, auto holds) {
  return std::any_of(values.begin(), values.end(),
                     [&](const Value& value) { return holds(Compare(value.cell(), operand.cell())); });
}

// The words of Comparison, one after the other.
bool Holds(const Condition& condition, const Found& found) {
  const Value& operand = condition.operand;
  const auto is_equal = [](std::partial_ordering order) { return order == 0; };
  const auto matches = [&](const Value& value) {
    return value.kind() == ValueKind::kString && std::regex_match(value.ToText(), std::regex(operand.ToText()));
  };
  const bool has_string = std::any_of(found.values.begin(), found.values.end(),
                                      [](const Value& value) { return value.kind() == ValueKind::kString; });
  const bool has_comparable = std::any_of(found.values.begin(), found.values.end(), [&](const Value& value) {
    return AreComparable(value.kind(), operand.kind());
  });
  const bool is_pattern =
      condition.comparison == Comparison::kMatches || condition.comparison == Comparison::kNotMatches;
  const bool has_match = is_pattern && std::any_of(found.values.begin(), found.values.end(), matches);
  switch (condition.comparison) {
    case Comparison::kEqual:
      return AnyCompares(found.values, operand, is_equal);
    case Comparison::kNotEqual:
      return has_comparable && !AnyCompares(found.values, operand, is_equal);
    case Comparison::kLess:
      return AnyCompares(found.values, operand, [](auto order) { return order < 0; });
    case Comparison::kLessOrEqual:
      return AnyCompares(found.values, operand, [](auto order) { return order <= 0; });
    case Comparison::kGreater:
      return AnyCompares(found.values, operand, [](auto order) { return order > 0; });
    case Comparison::kGreaterOrEqual:
      return AnyCompares(found.values, operand, [](auto order) { return order >= 0; });
    case Comparison::kMatches:
      return has_match;
    case Comparison::kNotMatches:
      return has_string && !has_match;
    case Comparison::kHasText:
      return std::find(found.texts.begin(), found.texts.end(), operand.ToText()) != found.texts.end();
    case Comparison::kExists:
      return !found.values.empty();
    case Comparison::kIsAbsent:
      return found.values.empty();
  }
  return false;
}

bool Matches(const Predicate& predicate, const World& world) {
  const Trace trace = TraceOf(RequestBuilder().From(world.resource, "", "", world.scope).Add(world.span).Build());
  ReadMeter meter({}, Clock::System());
  TraceReading reading;
  EXPECT_TRUE(reading.Read(trace.id, trace.spans, meter).ok());
  return PredicateMatcher(predicate).Matches(reading, 0);
}

// Scenario: random attributes of every kind in every scope, keys repeated; random conditions, and trees of two of them.
// Guarantees: the words of Comparison and AttributeScope, taken literally over the same attributes.
TEST(PredicateMatcher, MeansWhatTheWordsSayProperty) {
  constexpr uint64_t kSeed = 4;
  RandomWorlds worlds(kSeed);
  for (int round = 0; round < 20'000; ++round) {
    const World world = worlds.Next();
    const Condition a = worlds.NextCondition();
    const Condition b = worlds.NextCondition();
    const bool holds_a = Holds(a, Collect(a.field, world, worlds));
    const bool holds_b = Holds(b, Collect(b.field, world, worlds));
    ASSERT_EQ(Matches(Predicate(a), world), holds_a) << "seed " << kSeed << ", round " << round << ": " << a.ToString();
    ASSERT_EQ(Matches(Predicate::All({Predicate(a), Predicate::Not(Predicate(b))}), world), holds_a && !holds_b)
        << a.ToString() << ", " << b.ToString();
    ASSERT_EQ(Matches(Predicate::Any({Predicate::Not(Predicate(a)), Predicate(b)}), world), !holds_a || holds_b);
  }
}

// Scenario: spans of two origins, one after the other, asked about their service.
// Guarantees: what is remembered of an origin is not said of another.
TEST(PredicateMatcher, RemembersAnOriginOnlyForItself) {
  const SpanSpec span = {.trace_id = MakeTraceId(1), .span_id = MakeSpanId(1)};
  const Trace trace = TraceOf(RequestBuilder().FromService("a").Add(span).FromService("b").Add(span).Build());
  ReadMeter meter({}, Clock::System());
  TraceReading reading;
  ASSERT_TRUE(reading.Read(trace.id, trace.spans, meter).ok());
  PredicateMatcher matcher(Predicate({.field = Field::Of(Intrinsic::kService), .operand = Value::String("b")}));
  EXPECT_FALSE(matcher.Matches(reading, 0));
  EXPECT_TRUE(matcher.Matches(reading, 1));
  EXPECT_FALSE(matcher.Matches(reading, 0));
  EXPECT_EQ(matcher.service(), "b");
}

}  // namespace
}  // namespace spanloom::store::scan
