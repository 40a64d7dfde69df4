// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/python_text.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace spanloom::llmd::wire {
namespace {

TEST(PythonText, WritesValuesAsPythonDoes) {
  EXPECT_EQ(PythonQuoted("a"), "'a'");
  EXPECT_EQ(PythonQuoted("it's"), "\"it's\"");
  EXPECT_EQ(PythonQuoted("it's \"it\""), "'it\\'s \"it\"'");
  EXPECT_EQ(PythonFloat(2), "2.0");
  EXPECT_EQ(PythonFloat(-0.5), "-0.5");
}

// Guarantees: the first mistake is named in the words of Python's reader, with its place.
TEST(PythonText, FindsTheFirstMistake) {
  const std::vector<std::pair<std::string, JsonMistake>> cases = {
      {"", {"Expecting value", 0}},
      {"{", {"Expecting property name enclosed in double quotes", 1}},
      {R"({"a")", {"Expecting ':' delimiter", 4}},
      {R"({"a": })", {"Expecting value", 6}},
      {R"({"a": 1 "b")", {"Expecting ',' delimiter", 8}},
      {R"({"a": 1,})", {"Expecting property name enclosed in double quotes", 8}},
      {"[1, 2", {"Expecting ',' delimiter", 5}},
      {R"(["a)", {"Unterminated string starting at", 1}},
      {R"(["\x"])", {"Invalid \\escape", 2}},
      {"[\"a\nb\"]", {"Invalid control character at", 3}},
      {"{} {}", {"Extra data", 3}},
      {std::string(1'000, '['), {"Expecting value", 201}},
  };
  for (const auto& [text, wanted] : cases) {
    const JsonMistake found = FindJsonMistake(text);
    EXPECT_EQ(found.what, wanted.what) << text;
    EXPECT_EQ(found.at, wanted.at) << text;
  }
}

}  // namespace
}  // namespace spanloom::llmd::wire
