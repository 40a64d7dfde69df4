// SPDX-License-Identifier: Apache-2.0
//
// Random lists of conditions on random spans, against an evaluator that does everything in the plainest way.

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "base/text.h"
#include "otlp/batch.h"
#include "otlp/writer.h"
#include "ottl/condition.h"
#include "ottl/text_format.h"

namespace spanloom::ottl {
namespace {

constexpr int kLists = 2000;
constexpr int kKeys = 12;

// A condition as text, and what it is for the span: true, false, or a failure.
struct Expected {
  std::string text;
  std::optional<bool> result;
};

class Generator {
 public:
  explicit Generator(uint64_t seed) : rng_(seed) {
    for (int i = 0; i < kKeys; ++i) attributes_.push_back(RandomValue());
  }

  // A span of the name "n3" whose attributes are k0 to k11; those that are nil are left out.
  [[nodiscard]] otlp::Slice Span() const {
    std::string wire;
    otlp::RequestWriter request(wire);
    request.BeginResource({});
    request.BeginScope({});
    otlp::SpanWriter span = request.BeginSpan({.name = "n3"});
    for (int i = 0; i < kKeys; ++i) {
      if (!attributes_[i].value.is_nil()) span.attributes().Encoded(StrCat("k", i), *EncodeValue(attributes_[i].value));
    }
    span.End();
    request.End();
    return {Bytes(std::move(wire)), 1};
  }

  Expected Condition(int depth) {
    const uint64_t kind = rng_.Below(depth == 0 ? 7 : 10);
    if (kind < 7) return kind < 5 ? Comparison() : kind == 5 ? Quotient() : NameComparison();
    Expected left = Condition(depth - 1);
    if (kind == 7) return {StrCat("not (", left.text, ")"), left.result ? std::optional(!*left.result) : std::nullopt};
    Expected right = Condition(depth - 1);
    const bool is_and = kind == 8;
    // Without parentheses, a chain of "or" is one condition of many operands.
    if (!is_and && rng_.Below(2) == 0) return Chain(std::move(left), right);
    const bool decided = left.result && *left.result != is_and;
    return {StrCat("(", left.text, is_and ? " and " : " or ", right.text, ")"),
            !left.result || decided ? left.result : right.result};
  }

  uint64_t Below(uint64_t bound) { return rng_.Below(bound); }

  Expected Chain(Expected left, const Expected& right) {
    Expected chain{StrCat("(", left.text, " or ", right.text), Either(left.result, right.result)};
    for (uint64_t i = rng_.Below(6); i > 0; --i) {
      const Expected next = Condition(0);
      StrAppend(chain.text, " or ", next.text);
      chain.result = Either(chain.result, next.result);
    }
    return {chain.text + ")", chain.result};
  }

  // `left or right`, from left to right.
  static std::optional<bool> Either(std::optional<bool> left, std::optional<bool> right) {
    return !left || *left ? left : right;
  }

 private:
  struct Literal {
    std::string text;
    Value value;
  };

  // Few different ones, so that many are equal.
  Literal RandomValue() {
    static constexpr std::string_view kTexts[] = {"a", "b", "3"};
    const auto number = static_cast<int64_t>(rng_.Below(3));
    switch (rng_.Below(5)) {
      case 0:
        return {"nil", {}};
      case 1:
        return {StrCat(number), Value::Int(number)};
      case 2:
        return {StrCat(number, ".5"), Value::Double(static_cast<double>(number) + 0.5)};
      case 3:
        return {number == 0 ? "true" : "false", Value::Bool(number == 0)};
      default:
        return {StrCat("\"", kTexts[number], "\""), Value::String(kTexts[number])};
    }
  }

  Expected Compared(const Literal& left, const Literal& right) {
    static constexpr std::pair<std::string_view, ComparisonOperator> kOperators[] = {
        {"==", ComparisonOperator::kEqual},
        {"==", ComparisonOperator::kEqual},
        {"!=", ComparisonOperator::kNotEqual},
        {"<", ComparisonOperator::kLess},
        {">=", ComparisonOperator::kGreaterEqual}};
    const auto& [text, op] = kOperators[rng_.Below(std::size(kOperators))];
    if (rng_.Below(2) == 0)
      return {StrCat(left.text, " ", text, " ", right.text), Compare(left.value, op, right.value)};
    return {StrCat(right.text, " ", text, " ", left.text), Compare(right.value, op, left.value)};
  }

  Literal RandomAttribute() {
    const size_t i = rng_.Below(kKeys);
    return {StrCat("attributes[\"k", i, "\"]"), attributes_[i].value};
  }

  Expected Comparison() { return Compared(RandomAttribute(), rng_.Below(4) == 0 ? RandomAttribute() : RandomValue()); }

  Expected NameComparison() {
    const std::string name = StrCat("n", rng_.Below(20));
    return {StrCat("name == \"", name, "\""), name == "n3"};
  }

  // Fails unless the attribute is a number other than 0.
  Expected Quotient() {
    const Literal divisor = RandomAttribute();
    const bool is_number = divisor.value.is(Value::Kind::kInt) || divisor.value.is(Value::Kind::kDouble);
    const double number = is_number ? *LikeDouble(divisor.value) : 0;
    return {StrCat("1.0 / ", divisor.text, " == 1"), number == 0 ? std::nullopt : std::optional(number == 1)};
  }

  Rng rng_;
  std::vector<Literal> attributes_;  // [kKeys]
};

// What a list is: true at the first condition that holds; a failure ends it unless failures are passed over.
bool ExpectedMatch(const std::vector<Expected>& conditions, bool ignores_failures) {
  for (const Expected& condition : conditions) {
    if (condition.result == true) return true;
    if (!condition.result && !ignores_failures) return false;
  }
  return false;
}

// Scenario: lists of up to 30 conditions of random form, some of which fail.
// Guarantees: the compiled list, with its slots and lookups, says what the plain evaluator says, in both error modes.
TEST(ConditionsProperty, AgreeWithAPlainEvaluator) {
  for (uint64_t seed = 0; seed < kLists; ++seed) {
    Generator generator(seed);
    std::vector<Expected> expected;
    std::vector<std::string> texts;
    for (uint64_t i = 1 + generator.Below(30); i > 0; --i) {
      expected.push_back(generator.Condition(3));
      texts.push_back(expected.back().text);
    }
    const auto conditions = Conditions::Compile(Context::kSpan, texts);
    ASSERT_TRUE(conditions.ok()) << conditions.status();
    generator.Span().ForEach([&](const otlp::SpanContext& span) {
      for (const bool ignores : {true, false}) {
        const bool matches = conditions->Match(Scene(span), [&](std::string_view, const Status&) { return ignores; });
        EXPECT_EQ(matches, ExpectedMatch(expected, ignores)) << "seed " << seed;
      }
    });
  }
}

}  // namespace
}  // namespace spanloom::ottl
