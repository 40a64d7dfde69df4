// SPDX-License-Identifier: Apache-2.0

#include "base/json_writer.h"

#include <gtest/gtest.h>

#include <limits>

namespace spanloom {
namespace {

std::string Escaped(std::string_view text) {
  std::string out;
  AppendJsonEscaped(text, out);
  return out;
}

// Scenario: objects and arrays nested in each other.
// Guarantees: commas stand between elements and nowhere else.
TEST(JsonWriter, PlacesCommasInNestedValues) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  json.Field("a", 1);
  json.Key("b");
  json.BeginArray();
  json.Int(-1);
  json.BeginObject();
  json.EndObject();
  json.Null();
  json.EndArray();
  json.Field("c", true);
  json.EndObject();
  EXPECT_EQ(out, R"({"a":1,"b":[-1,{},null],"c":true})");
}

// Scenario: doubles that JSON has no word for, and one that needs all its digits.
// Guarantees: the protobuf JSON mapping's strings; finite doubles read back exactly.
TEST(JsonWriter, WritesEveryDouble) {
  std::string out;
  JsonWriter json(out);
  json.BeginArray();
  json.Double(std::numeric_limits<double>::quiet_NaN());
  json.Double(std::numeric_limits<double>::infinity());
  json.Double(-std::numeric_limits<double>::infinity());
  json.Double(0.1);
  json.Double(-0.0);
  json.EndArray();
  EXPECT_EQ(out, R"(["NaN","Infinity","-Infinity",0.1,-0])");
}

// Scenario: control characters, quotes, and a NUL inside a string.
// Guarantees: they are escaped, nothing is lost.
TEST(JsonWriter, EscapesControlCharacters) {
  EXPECT_EQ(Escaped(std::string_view("a\"b\\c\n\0d", 8)), R"(a\"b\\c\n\u0000d)");
}

// Scenario: well-formed UTF-8 of every length; then truncated, overlong, surrogate and out-of-range sequences.
// Guarantees: the first pass unchanged; each bad byte becomes U+FFFD and the text around it stays.
TEST(JsonWriter, ReplacesInvalidUtf8) {
  EXPECT_EQ(Escaped("Zürich 東京 🚀"), "Zürich 東京 🚀");
  EXPECT_EQ(Escaped("a\xFFz"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(Escaped("\xE2\x82"), "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(Escaped("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(Escaped("\xED\xA0\x80").find('\xED'), std::string::npos);
  EXPECT_EQ(Escaped("\xF4\x90\x80\x80").find('\xF4'), std::string::npos);
}

}  // namespace
}  // namespace spanloom
