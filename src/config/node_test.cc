// SPDX-License-Identifier: Apache-2.0

#include "config/node.h"

#include <gtest/gtest.h>

#include "config/yaml.h"

namespace spanloom::config {
namespace {

Node Plain(std::string text) {
  return Node::Scalar(std::move(text), Node::Style::kPlain, {"f", 1});
}

Node Quoted(std::string text) {
  return Node::Scalar(std::move(text), Node::Style::kQuoted, {"f", 1});
}

// Scenario: plain scalars as go-yaml v3 reads them.
// Guarantees: each gets the same type.
TEST(Node, TypesPlainScalarsAsGoYamlDoes) {
  for (const char* text : {"1", "-1", "+1", "0x10", "0o17", "017", "0b11", "1_000"}) {
    EXPECT_EQ(TypeOfPlain(text), ScalarType::kInt) << text;
  }
  for (const char* text : {"1.5", ".5", "1e3", "-.inf", ".nan"}) {
    EXPECT_EQ(TypeOfPlain(text), ScalarType::kDouble) << text;
  }
  for (const char* text : {"yes", "on", "tRUE", "inf", "0x", "1s", "localhost:4317", "1.2.3", "-", "_1"}) {
    EXPECT_EQ(TypeOfPlain(text), ScalarType::kString) << text;
  }
  EXPECT_EQ(TypeOfPlain("True"), ScalarType::kBool);
  EXPECT_EQ(TypeOfPlain("~"), ScalarType::kNull);
}

// Scenario: integers in each base.
// Guarantees: they have the value that Go gives them.
TEST(Node, ReadsIntegersOfEveryBase) {
  EXPECT_EQ(ReadInt(Plain("0x1F")), 31);
  EXPECT_EQ(ReadInt(Plain("017")), 15);
  EXPECT_EQ(ReadInt(Plain("-0b101")), -5);
  EXPECT_EQ(ReadInt(Plain("1_000")), 1000);
  EXPECT_EQ(ReadInt(Plain("9223372036854775808")), std::nullopt);
}

// Scenario: a quoted "4", as in the Collector's strict decoding.
// Guarantees: it is a string and nothing else.
TEST(Node, QuotedNumbersAreStrings) {
  EXPECT_EQ(ReadInt(Quoted("4")), std::nullopt);
  EXPECT_EQ(ReadString(Quoted("4")), "4");
  EXPECT_EQ(ReadString(Plain("4")), std::nullopt);
  EXPECT_EQ(TypeName(Quoted("4")), "string");
  EXPECT_EQ(TypeName(Plain("4")), "int");
}

// Scenario: the same content written elsewhere and in another order; then one scalar quoted, one item more.
// Guarantees: place and order of keys do not count, everything else does.
TEST(Node, ComparesByContent) {
  const auto same = [](std::string_view a, std::string_view b) {
    return SameContent(*ParseYaml(a, "a.yaml"), *ParseYaml(b, "b.yaml"));
  };
  EXPECT_TRUE(same("x: 1\ny: [a, b]\n", "\n\ny: [a, b]\nx: 1\n"));
  EXPECT_FALSE(same("x: 1", "x: '1'"));
  EXPECT_FALSE(same("y: [a]", "y: [a, b]"));
  EXPECT_FALSE(same("y: [a, b]", "y: [b, a]"));
  EXPECT_FALSE(same("x: 1", "x: 1\nz:"));
}

}  // namespace
}  // namespace spanloom::config
