// SPDX-License-Identifier: Apache-2.0

#include "base/log.h"

#include <gtest/gtest.h>

namespace spanloom {
namespace {

constexpr int64_t kUnixNs = 1767225600LL * 1'000'000'000 + 5'000'000;  // 2026-01-01T00:00:00.005Z

// Scenario: fields that need quoting and one that does not, with a newline that could forge a second line.
// Guarantees: one line, values quoted only where needed.
TEST(Log, TextLineQuotesWhereNeeded) {
  EXPECT_EQ(FormatLogLine(LogFormat::kText, LogLevel::kWarn, "queue is full",
                          {{"exporter", "otlp/jaeger"}, {"hint", "raise it\nnow"}, {"size", 1000}}, kUnixNs),
            "2026-01-01T00:00:00.005Z WARN  queue is full exporter=otlp/jaeger hint=\"raise it\\nnow\" size=1000");
}

// Scenario: the same as JSON.
// Guarantees: an object with ts, level, msg and the fields as strings.
TEST(Log, JsonLineIsAnObject) {
  EXPECT_EQ(FormatLogLine(LogFormat::kJson, LogLevel::kError, "no", {{"port", 4317}}, kUnixNs),
            R"({"ts":"2026-01-01T00:00:00.005Z","level":"error","msg":"no","port":"4317"})");
}

// Scenario: names in any case, and a name that is not a level.
// Guarantees: the error lists what is allowed.
TEST(Log, ParseLogLevelNamesTheAllowedValues) {
  EXPECT_EQ(*ParseLogLevel("INFO"), LogLevel::kInfo);
  const auto bad = ParseLogLevel("loud");
  EXPECT_EQ(bad.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(bad.status().message().find("debug, info, warn, error"), std::string::npos);
}

}  // namespace
}  // namespace spanloom
