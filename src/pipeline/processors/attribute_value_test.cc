// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/attribute_value.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "config/yaml.h"
#include "otlp/validate.h"

namespace spanloom::pipeline {
namespace {

ConfiguredValue Written(std::string_view yaml) {
  auto value = ConfiguredValue::Make(*config::ParseYaml(yaml, "f"));
  EXPECT_TRUE(value.ok()) << value.status();
  return *std::move(value);
}

std::string AsString(std::string_view yaml) {
  return ValueAsString(Written(yaml).view());
}

bool Equal(std::string_view a, std::string_view b) {
  return AreEqual(Written(a).view(), Written(b).view());
}

// Scenario: one value of each type that YAML knows.
// Guarantees: it has that type as an attribute.
TEST(ConfiguredValue, HasTheTypeThatItWasWrittenWith) {
  using Kind = otlp::ValueView::Kind;
  EXPECT_EQ(Written("true").view().kind(), Kind::kBool);
  EXPECT_EQ(Written("0x10").view().int_value(), 16);
  EXPECT_EQ(Written("1.5").view().double_value(), 1.5);
  EXPECT_EQ(Written("\"1.5\"").view().string_value(), "1.5");
  EXPECT_EQ(Written("[a, 1, {b: null}]").view().array().Count(), 3u);
  EXPECT_EQ(Written("{a: 1, b: [x]}").view().map().Count(), 2u);
}

TEST(ConfiguredValue, RefusesWhatNoReceiverWouldTake) {
  const std::string deep = std::string(70, '[') + std::string(70, ']');
  EXPECT_EQ(ConfiguredValue::Make(*config::ParseYaml(deep, "f")).status().code(), absl::StatusCode::kInvalidArgument);
}

// Scenario: values of each kind, doubles where their form changes.
// Guarantees: the text is the Collector's.
TEST(AttributeValue, HasTheCollectorsText) {
  EXPECT_EQ(AsString("a b"), "a b");
  EXPECT_EQ(AsString("false"), "false");
  EXPECT_EQ(AsString("-7"), "-7");
  EXPECT_EQ(AsString("1.5"), "1.5");
  EXPECT_EQ(AsString("1e20"), "100000000000000000000");
  EXPECT_EQ(AsString("1e21"), "1e+21");
  EXPECT_EQ(AsString("1.2345678901234567e20"), "123456789012345670000");
  EXPECT_EQ(AsString("1.5e-7"), "1.5e-7");
  EXPECT_EQ(AsString("1e-6"), "0.000001");
  EXPECT_EQ(AsString("[1, a]"), "[1,\"a\"]");
  EXPECT_EQ(AsString("{a: true}"), "{\"a\":true}");
  EXPECT_EQ(AsString("{x: y, n: {list: [1, 1e20, <b>], deep: 1}}"),
            R"({"n":{"deep":1,"list":[1,100000000000000000000,"<b>"]},"x":"y"})");
  EXPECT_EQ(AsString(".inf"), "Infinity");
}

TEST(AttributeValue, ScalarsAloneHaveAPlainText) {
  EXPECT_EQ(ScalarText(Written("1e21").view()), "1000000000000000000000");
  EXPECT_EQ(ScalarText(Written("1e30").view()), "1000000000000000000000000000000");  // no double, but the nearest is
  EXPECT_EQ(ScalarText(Written("5e-324").view())->size(), 326u);
  EXPECT_EQ(ScalarText(Written("[1]").view()), std::nullopt);
}

TEST(AttributeValue, EqualsByKindAndContent) {
  EXPECT_TRUE(Equal("1", "1"));
  EXPECT_FALSE(Equal("1", "1.0"));
  EXPECT_FALSE(Equal("1", "\"1\""));
  EXPECT_TRUE(Equal("[1, [2]]", "[1, [2]]"));
  EXPECT_FALSE(Equal("[1, 2]", "[1]"));
  EXPECT_TRUE(Equal("{a: 1, b: 2}", "{b: 2, a: 1}"));
  EXPECT_FALSE(Equal("{a: 1, b: 2}", "{a: 1, c: 2}"));
}

}  // namespace
}  // namespace spanloom::pipeline
