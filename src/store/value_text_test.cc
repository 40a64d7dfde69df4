// SPDX-License-Identifier: Apache-2.0

#include "store/value_text.h"

#include <gtest/gtest.h>

#include <limits>

#include "otlp/wire/writer.h"

namespace spanloom::store {
namespace {

using otlp::ValueView;
using otlp::wire::Writer;

template <typename Write>
std::string Encode(Write write) {
  std::string wire;
  Writer writer(wire);
  write(writer);
  return wire;
}

std::string TextOf(const std::string& wire) {
  const ValueView value(wire);
  const std::string text = ValueText(value);
  EXPECT_TRUE(ValueHasText(value, text)) << text;
  EXPECT_FALSE(ValueHasText(value, text + "x")) << text;
  return text;
}

// Scenario: one value of each kind.
// Guarantees: the text that a user would type, and that ValueHasText agrees with it.
TEST(ValueText, SaysEveryKind) {
  EXPECT_EQ(TextOf(""), "");
  EXPECT_EQ(TextOf(Encode([](Writer& w) { w.Bytes(1, "text"); })), "text");
  EXPECT_EQ(TextOf(Encode([](Writer& w) { w.Varint(2, 1); })), "true");
  EXPECT_EQ(TextOf(Encode([](Writer& w) { w.Varint(2, 0); })), "false");
  EXPECT_EQ(TextOf(Encode([](Writer& w) { w.Varint(3, static_cast<uint64_t>(-5)); })), "-5");
  EXPECT_EQ(TextOf(Encode([](Writer& w) { w.Double(4, 0.1); })), "0.1");
  EXPECT_EQ(TextOf(Encode([](Writer& w) { w.Double(4, -std::numeric_limits<double>::infinity()); })), "-Infinity");
  EXPECT_EQ(TextOf(Encode([](Writer& w) { w.Double(4, std::numeric_limits<double>::quiet_NaN()); })), "NaN");
  EXPECT_EQ(TextOf(Encode([](Writer& w) { w.Bytes(7, std::string("\0\x01", 2)); })), std::string("\0\x01", 2));
}

// Scenario: a map with an array in it, with bytes, an absent value and a number.
// Guarantees: JSON in the order in which it came, bytes in base64.
TEST(ValueText, WritesNestedValuesAsJson) {
  const std::string wire = Encode([](Writer& writer) {
    const Writer::Mark map = writer.Begin(6);
    const Writer::Mark entry = writer.Begin(1);
    writer.Bytes(1, "k");
    const Writer::Mark value = writer.Begin(2);
    const Writer::Mark array = writer.Begin(5);
    writer.Bytes(1, Encode([](Writer& w) { w.Bytes(7, "\xff"); }));
    writer.Bytes(1, "");
    writer.Bytes(1, Encode([](Writer& w) { w.Varint(3, 7); }));
    writer.End(array);
    writer.End(value);
    writer.End(entry);
    writer.End(map);
  });
  EXPECT_EQ(TextOf(wire), R"({"k":["/w==",null,7]})");
}

}  // namespace
}  // namespace spanloom::store
