// SPDX-License-Identifier: Apache-2.0

#include "pipeline/own_traces_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "config/yaml.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

struct Outcome {
  std::optional<OwnTracesConfig> config;
  std::vector<std::string> problems;
};

Outcome Read(std::string_view yaml) {
  config::Problems problems;
  const auto options = config::ReadOptions<OwnTracesOptions>(*config::ParseYaml(yaml, "f"), "traces", problems);
  return {problems.empty() ? options.Config() : std::nullopt, problems.lines()};
}

otlp::TraceId Half() {
  return *otlp::ParseTraceId("00000000000000018000000000000000");  // sampled by ratios above 0.5
}

// Scenario: the form of the Collector's own documentation, with everything that can be said.
// Guarantees: read as meant.
TEST(OwnTraces, ReadsTheCollectorsForm) {
  const auto [config, problems] = Read(R"(
level: detailed
propagators: [tracecontext]
sampler: {parent_based: {root: {trace_id_ratio_based: {ratio: 0.4}}}}
processors:
  - batch:
      schedule_delay: 250
      max_queue_size: 100
      max_export_batch_size: 10
      export_timeout: 2000
      exporter:
        otlp:
          protocol: http/protobuf
          endpoint: http://tempo:4318/otlp/v1/traces
          headers: [{name: X-Token, value: t}]
)");
  EXPECT_THAT(problems, IsEmpty());
  ASSERT_TRUE(config.has_value());
  EXPECT_FALSE(config->sampler.Samples({}, Half()));
  EXPECT_EQ(config->batch.delay, std::chrono::milliseconds(250));
  EXPECT_EQ(config->batch.queue_spans_max, 100u);
  EXPECT_EQ(config->batch.batch_spans_max, 10u);
  EXPECT_EQ(config->destination.protocol, sdk::OtlpProtocol::kHttpProtobuf);
  EXPECT_EQ(config->destination.endpoint, "tempo:4318");
  EXPECT_EQ(config->destination.path, "/otlp/v1/traces");
  EXPECT_EQ(config->destination.timeout, std::chrono::seconds(2));
  EXPECT_THAT(config->destination.headers, ElementsAre(Pair("x-token", "t")));
}

// Scenario: nothing, level none, and a sampler without a destination.
// Guarantees: no spans are made.
TEST(OwnTraces, IsOffWithoutADestination) {
  const std::string_view kBatch = "processors: [{batch: {exporter: {otlp: {endpoint: 'http://a:1'}}}}]\n";
  EXPECT_FALSE(Read("").config.has_value());
  EXPECT_FALSE(Read("sampler: {always_on: }").config.has_value());
  EXPECT_FALSE(Read(StrCat(kBatch, "level: NONE")).config.has_value());
  EXPECT_TRUE(Read(kBatch).config->sampler.Samples({}, Half()));
}

// Scenario: what can't be done, each in the place where it stands.
// Guarantees: refused by name.
TEST(OwnTraces, RefusesWhatItWouldNotDo) {
  const auto refusal = [](std::string_view otlp) {
    return Read(StrCat("processors: [{batch: {exporter: {otlp: {", otlp, "}}}}]")).problems;
  };
  EXPECT_THAT(refusal("endpoint: 'https://a:1'"), ElementsAre(HasSubstr("are sent in cleartext")));
  EXPECT_THAT(refusal("endpoint: 'a:1'"), ElementsAre(HasSubstr("insecure must be true")));
  EXPECT_THAT(refusal("endpoint: 'a:1', insecure: true"), IsEmpty());
  EXPECT_THAT(refusal(""), ElementsAre(HasSubstr("endpoint must be http://HOST:PORT")));
  EXPECT_THAT(refusal("endpoint: 'http://a:1', protocol: http/json"), ElementsAre(HasSubstr("(valid: grpc")));
  EXPECT_THAT(Read("processors: [{batch: }]").problems, ElementsAre(HasSubstr("must have an exporter")));
  EXPECT_THAT(Read("processors: [{simple: {exporter: {otlp: }}}]").problems, ElementsAre(HasSubstr("write batch")));
  EXPECT_THAT(Read("propagators: [tracecontext, b3]").problems,
              ElementsAre(HasSubstr("traces::propagators::1: unsupported propagator \"b3\"")));
  EXPECT_THAT(Read("sampler: {parent_based: , always_off: }").problems, ElementsAre(HasSubstr("must have one of")));
  EXPECT_THAT(Read("sampler: {trace_id_ratio_based: {ratio: 2}}").problems, ElementsAre(HasSubstr("between 0 and 1")));
  EXPECT_THAT(Read("level: most").problems, ElementsAre(HasSubstr("level must be one of none")));
}

}  // namespace
}  // namespace spanloom::pipeline
