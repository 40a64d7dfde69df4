// SPDX-License-Identifier: Apache-2.0

#include "otlp/json/repair.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace spanloom::otlp {
namespace {

std::string Repaired(std::string_view json) {
  const auto repaired = RepairJson(json);
  EXPECT_TRUE(repaired.ok()) << json << ": " << repaired.status();
  return repaired.ok() ? *repaired : "";
}

// The byte offset that the error names; npos if the document is JSON.
size_t FaultOffset(std::string_view json) {
  const auto repaired = RepairJson(json);
  if (repaired.ok()) return std::string::npos;
  EXPECT_EQ(repaired.status().code(), absl::StatusCode::kInvalidArgument);
  const std::string message(repaired.status().message());
  return std::strtoull(message.c_str() + message.find("byte ") + 5, nullptr, 10);
}

TEST(RepairJson, LeavesJsonAsItIs) {
  for (const char* json : {"{}", " [ ] ", "null", "true", "false", "-0", "0.5", "1e5", "1E+5", "-1.25e-7",
                           R"({"a":[1,{"b":null}],"c":""})", R"("\"\\\/\b\f\n\r\t\u00e9")", R"("\ud83d\ude80")",
                           "\"Zürich 東京 🚀\x7f\"", "18446744073709551615", "-9223372036854775808", "0.1e-400"}) {
    EXPECT_EQ(Repaired(json), json);
  }
}

TEST(RepairJson, ReplacesHalfSurrogatePairs) {
  EXPECT_EQ(Repaired(R"("\ud83d")"), R"("\ufffd")");
  EXPECT_EQ(Repaired(R"("\ude00x")"), R"("\ufffdx")");
  EXPECT_EQ(Repaired(R"("\ud83d\u0041")"), R"("\ufffd\u0041")");
  EXPECT_EQ(Repaired(R"("a\uD83D\ud83d\ude00b")"), R"("a\ufffd\ud83d\ude00b")");
  EXPECT_EQ(Repaired(R"({"\ud83d":"\ud83d"})"), R"({"\ufffd":"\ufffd"})");
}

TEST(RepairJson, ReplacesWhatIsNotUtf8) {
  const std::string replacement = "\xef\xbf\xbd";
  EXPECT_EQ(Repaired("\"a\xff"
                     "b\""),
            "\"a" + replacement + "b\"");
  EXPECT_EQ(Repaired("\"\xc3\""), "\"" + replacement + "\"") << "sequence cut short";
  EXPECT_EQ(Repaired("\"\xc0\x80\""), "\"" + replacement + replacement + "\"") << "overlong";
  EXPECT_EQ(Repaired("\"\xed\xa0\x80\""), "\"" + replacement + replacement + replacement + "\"") << "surrogate";
  EXPECT_EQ(Repaired("\"\xf4\x90\x80\x80\"").size(), 2 + 4 * replacement.size()) << "beyond U+10FFFF";
}

TEST(RepairJson, TurnsIntegersBeyond64BitsIntoDoubles) {
  EXPECT_EQ(Repaired("18446744073709551616"), "18446744073709551616.0");
  EXPECT_EQ(Repaired("[-9223372036854775809,1]"), "[-9223372036854775809.0,1]");
}

TEST(RepairJson, NamesTheOffsetOfWhatIsNotJson) {
  EXPECT_EQ(FaultOffset(""), 0u);
  EXPECT_EQ(FaultOffset("  "), 2u);
  EXPECT_EQ(FaultOffset("{} x"), 3u);
  EXPECT_EQ(FaultOffset(R"({"a" 1})"), 5u);
  EXPECT_EQ(FaultOffset(R"({"a":1,})"), 7u);
  EXPECT_EQ(FaultOffset(R"({a:1})"), 1u);
  EXPECT_EQ(FaultOffset("[1 2]"), 3u);
  EXPECT_EQ(FaultOffset("[1,]"), 3u);
  EXPECT_EQ(FaultOffset("[01]"), 2u);
  EXPECT_EQ(FaultOffset("[1.]"), 3u);
  EXPECT_EQ(FaultOffset("[1e]"), 3u);
  EXPECT_EQ(FaultOffset("[tru]"), 1u);
  EXPECT_EQ(FaultOffset(R"("abc)"), 4u);
  EXPECT_EQ(FaultOffset(R"("a\q")"), 2u);
  EXPECT_EQ(FaultOffset(R"("\u12g4")"), 1u);
  EXPECT_EQ(FaultOffset("\"a\nb\""), 2u);
  EXPECT_EQ(FaultOffset("[1e400]"), 6u);
}

TEST(RepairJson, BoundsTheDepth) {
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(RepairJson(nested(kJsonDepthMax)).ok());
  EXPECT_EQ(RepairJson(nested(1'000'000)).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace spanloom::otlp
