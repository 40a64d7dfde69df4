// SPDX-License-Identifier: Apache-2.0

#include "pipeline/own_logs_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/yaml.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

OwnLogsOptions Read(std::string_view yaml, config::Problems& problems) {
  return config::ReadOptions<OwnLogsOptions>(*config::ParseYaml(yaml, "f"), "logs", problems);
}

LogOptions LogOf(std::string_view yaml) {
  config::Problems problems;
  const OwnLogsOptions options = Read(yaml, problems);
  EXPECT_TRUE(problems.empty()) << problems.ToStatus();
  return options.Config();
}

std::string Refusal(std::string_view yaml) {
  config::Problems problems;
  Read(yaml, problems);
  return std::string(problems.ToStatus().message());
}

// Scenario: nothing is written; everything is; sampling is off.
// Guarantees: the Collector's defaults; what is written; every line.
TEST(OwnLogsConfig, IsWhatIsWritten) {
  const LogOptions defaults = LogOf("");
  EXPECT_EQ(defaults.level, LogLevel::kInfo);
  EXPECT_THAT(defaults.outputs, ElementsAre("stderr"));
  EXPECT_EQ(defaults.sampling, LogSampling());
  const LogOptions all = LogOf(R"(
level: WARN
encoding: json
output_paths: [stdout, "file:///var/log/a.log", b.log]
error_output_paths: [stderr]
disable_caller: true
disable_stacktrace: false
development: false
sampling: {tick: 1m, initial: 2, thereafter: 0}
initial_fields: {shard: 7, env: prod, none: , on: true, "half": 0.5, list: [1, a], map: {a: "1"}}
)");
  EXPECT_EQ(all.level, LogLevel::kWarn);
  EXPECT_EQ(all.format, LogFormat::kJson);
  EXPECT_THAT(all.outputs, ElementsAre("stdout", "/var/log/a.log", "b.log"));
  EXPECT_EQ(all.sampling, (LogSampling{.tick = std::chrono::minutes(1), .initial = 2, .thereafter = 0}));
  EXPECT_EQ(FormatLogLine(LogFormat::kJson, LogLevel::kInfo, "m", {}, 0, all.constants),
            R"({"level":"info","ts":"1970-01-01T00:00:00.000Z","msg":"m","env":"prod","half":0.5,"list":[1,"a"],)"
            R"("map":{"a":"1"},"none":null,"on":true,"shard":7})");
  EXPECT_EQ(FormatLogLine(LogFormat::kText, LogLevel::kInfo, "m", {}, 0, all.constants),
            "1970-01-01T00:00:00.000Z INFO  m env=prod half=0.5 list=\"[1,\\\"a\\\"]\" map=\"{\\\"a\\\":\\\"1\\\"}\" "
            "none=\"\" on=true shard=7");
  EXPECT_EQ(LogOf("sampling: {enabled: false}").sampling, std::nullopt);
}

// Scenario: outputs and fields that cannot be, and keys of the Collector that are not there.
// Guarantees: refused by name.
TEST(OwnLogsConfig, RefusesWhatItCannotDo) {
  EXPECT_THAT(Refusal("output_paths: [stderr, \"s3://bucket\"]"), HasSubstr("output_paths::1: \"s3://bucket\""));
  EXPECT_THAT(Refusal("output_paths: []"), HasSubstr("output_paths must name"));
  EXPECT_THAT(Refusal("initial_fields: x"), HasSubstr("must be a map"));
  EXPECT_THAT(Refusal("error_output_paths: [/tmp/x]"), HasSubstr("error_output_paths is not supported"));
  EXPECT_THAT(Refusal("processors: [{}]"), HasSubstr("must name one processor"));
  EXPECT_THAT(Refusal("processors: [{batch: {exporter: {otlp: {endpoint: a, insecure: 3}}}}]"), HasSubstr("insecure"));
  EXPECT_THAT(Refusal("level: loud"), HasSubstr("unknown log level"));
}

// Scenario: lines are to go to two destinations, in batches and one by one.
// Guarantees: each with its own way; batches wait as long as OpenTelemetry's of log records do.
TEST(OwnLogsConfig, SendsLinesWhereItIsTold) {
  config::Problems problems;
  const auto routes = Read(R"(
processors:
  - batch: {max_export_batch_size: 10, exporter: {otlp: {protocol: http/protobuf, endpoint: "http://a:4318/x"}}}
  - simple: {exporter: {console: }}
)",
                           problems)
                          .Routes();
  ASSERT_TRUE(problems.empty());
  ASSERT_EQ(routes.size(), 2u);
  EXPECT_EQ(routes[0].batch.delay, std::chrono::seconds(1));
  EXPECT_EQ(routes[0].batch.batch_spans_max, 10u);
  EXPECT_EQ(routes[0].destination->signal, otlp::Signal::kLogs);
  EXPECT_EQ(routes[0].destination->path, "/x");
  EXPECT_EQ(routes[1].batch.batch_spans_max, 1u);
  EXPECT_FALSE(routes[1].destination.has_value());
}

}  // namespace
}  // namespace spanloom::pipeline
