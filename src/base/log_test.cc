// SPDX-License-Identifier: Apache-2.0

#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/log_lines.h"

namespace spanloom {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int64_t kUnixNs = 1767225600LL * 1'000'000'000 + 5'000'000;  // 2026-01-01T00:00:00.005Z

// Scenario: a text of three lines, the last one empty, with a control character.
// Guarantees: its line breaks are kept and nothing else; in JSON it is one line.
TEST(LogLines, KeepsLineBreaks) {
  EXPECT_EQ(
      FormatLogLines(LogFormat::kText, LogLevel::kInfo, "one\ntwo\x1b\n", {{"exporter", "debug"}}, 0),
      "1970-01-01T00:00:00.000Z INFO  one\ntwo\\u001b\n otelcol.component.id=debug otelcol.component.kind=exporter");
  EXPECT_EQ(FormatLogLines(LogFormat::kJson, LogLevel::kInfo, "one\ntwo", {}, 0),
            R"({"level":"info","ts":"1970-01-01T00:00:00.000Z","msg":"one\ntwo"})");
}

// Scenario: fields that need quoting and one that does not, with a newline that could forge a second line.
// Guarantees: one line, values quoted only where needed.
TEST(Log, TextLineQuotesWhereNeeded) {
  EXPECT_EQ(FormatLogLine(LogFormat::kText, LogLevel::kWarn, "queue is full",
                          {{"queue", "otlp/jaeger"}, {"hint", "raise it\nnow"}, {"size", 1000}}, kUnixNs),
            "2026-01-01T00:00:00.005Z WARN  queue is full queue=otlp/jaeger hint=\"raise it\\nnow\" size=1000");
}

// Scenario: the same as JSON.
// Guarantees: an object with level, ts, msg and the fields in the Collector's order; numbers and truth values are such.
TEST(Log, JsonLineIsAnObject) {
  EXPECT_EQ(
      FormatLogLine(LogFormat::kJson, LogLevel::kError, "no",
                    {{"port", 4317}, {"share", 0.5}, {"on", true}, {"text", "7"}, {"odd", std::nan("")}}, kUnixNs),
      R"({"level":"error","ts":"2026-01-01T00:00:00.005Z","msg":"no",)"
      R"("port":4317,"share":0.5,"on":true,"text":"7","odd":"nan"})");
}

// Scenario: a component and its pipeline, a resource, and fields of every line.
// Guarantees: the Collector's names; the resource is an object, and in JSON alone.
TEST(Log, SaysWhoInTheCollectorsNames) {
  const LogConstants constants = {.fields = {{.key = "env", .text = "a b", .json = "\"a b\""}},
                                  .resource = {{"service.name", "edge"}}};
  EXPECT_EQ(
      FormatLogLine(LogFormat::kJson, LogLevel::kInfo, "full", {{"processor", "batch/2"}, {"pipeline", "traces/in"}},
                    kUnixNs, constants),
      R"({"level":"info","ts":"2026-01-01T00:00:00.005Z","msg":"full","env":"a b",)"
      R"("resource":{"service.name":"edge"},"otelcol.component.id":"batch/2","otelcol.component.kind":"processor",)"
      R"("otelcol.pipeline.id":"traces/in","otelcol.signal":"traces"})");
  EXPECT_EQ(FormatLogLine(LogFormat::kText, LogLevel::kInfo, "full", {{"exporter", "debug"}}, kUnixNs, constants),
            "2026-01-01T00:00:00.005Z INFO  full otelcol.component.id=debug otelcol.component.kind=exporter "
            "env=\"a b\"");
}

class LogFileTest : public testing::Test {
 protected:
  LogFileTest() : folder_(testing::TempDir() + "log_" + std::to_string(getpid())) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~LogFileTest() override {
    ConfigureLog(LogFormat::kText, LogLevel::kInfo);
    std::filesystem::remove_all(folder_);
  }

  [[nodiscard]] std::string PathOf(const std::string& name) const { return folder_ + "/" + name; }
  [[nodiscard]] std::string ContentOf(const std::string& name) const {
    std::stringstream content;
    content << std::ifstream(PathOf(name)).rdbuf();
    return content.str();
  }

  const std::string folder_;
};

// Scenario: two files, one with a line in it; lines below the level and above it.
// Guarantees: each file gets the line of the level, behind what was there.
TEST_F(LogFileTest, WritesToEveryFile) {
  std::ofstream(PathOf("a")) << "before\n";
  ASSERT_TRUE(ConfigureLog({.level = LogLevel::kWarn, .outputs = {PathOf("a"), PathOf("b")}}).ok());
  Log(LogLevel::kInfo, "quiet");
  Log(LogLevel::kWarn, "loud");
  EXPECT_THAT(ContentOf("a"), testing::MatchesRegex("before\n[^\n]* WARN  loud\n"));
  EXPECT_THAT(ContentOf("b"), testing::MatchesRegex("[^\n]* WARN  loud\n"));
}

// Scenario: a file whose directory is not there, after a log that works.
// Guarantees: the error names it; the log that was there goes on, and no directory is made.
TEST_F(LogFileTest, RefusesAFileThatCannotBeOpened) {
  ASSERT_TRUE(ConfigureLog({.outputs = {PathOf("a")}}).ok());
  const Status status = ConfigureLog({.outputs = {"stderr", PathOf("none/a")}});
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(PathOf("none/a")));
  EXPECT_FALSE(std::filesystem::exists(PathOf("none")));
  Log(LogLevel::kInfo, "goes on");
  EXPECT_THAT(ContentOf("a"), HasSubstr("goes on"));
}

// Scenario: the file is moved away, as logrotate does, and the log is opened again; then its directory goes.
// Guarantees: lines go to the new file; without a directory they go on into the file that was open, which says so.
TEST_F(LogFileTest, OpensFilesAgain) {
  ASSERT_TRUE(ConfigureLog({.outputs = {PathOf("a")}}).ok());
  Log(LogLevel::kInfo, "one");
  std::filesystem::rename(PathOf("a"), PathOf("a.1"));
  Log(LogLevel::kInfo, "two");
  ReopenLog();
  Log(LogLevel::kInfo, "three");
  EXPECT_THAT(ContentOf("a.1"), HasSubstr("two"));
  EXPECT_THAT(ContentOf("a"), testing::AllOf(HasSubstr("three"), Not(HasSubstr("two"))));
  const std::string elsewhere = folder_ + ".moved";
  std::filesystem::rename(folder_, elsewhere);
  ReopenLog();
  Log(LogLevel::kInfo, "four");
  std::filesystem::rename(elsewhere, folder_);
  EXPECT_THAT(ContentOf("a"), testing::AllOf(HasSubstr("the files that were open"), HasSubstr("four")));
}

// Scenario: a message ten times where two are written, by either way in; then the process ends.
// Guarantees: two lines and one that counts the rest; past the sampling, all ten.
TEST_F(LogFileTest, CountsWhatSamplingLeavesOut) {
  ASSERT_TRUE(ConfigureLog({.outputs = {PathOf("a")}, .sampling = LogSampling{.initial = 2, .thereafter = 0}}).ok());
  for (int i = 0; i < 10; ++i) {
    Log(LogLevel::kError, "no route");
    LogUnsampled(LogLevel::kInfo, "span");
  }
  SettleLog(/*in_haste=*/true);
  SettleLog(/*in_haste=*/true);
  const std::string content = ContentOf("a");
  const auto count = [&](const std::string& text) {
    size_t found = 0;
    for (size_t at = content.find(text); at != std::string::npos; at = content.find(text, at + 1)) ++found;
    return found;
  };
  EXPECT_EQ(count("ERROR no route\n"), 2u) << content;
  EXPECT_EQ(count("INFO  span\n"), 10u);
  EXPECT_EQ(count("lines that repeat were left out of the log lines=8 messages=\"8 of error: no route\""), 1u);
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
