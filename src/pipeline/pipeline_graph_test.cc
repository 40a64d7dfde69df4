// SPDX-License-Identifier: Apache-2.0

#include "pipeline/pipeline_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "config/yaml.h"
#include "pipeline/testing/all_components.h"
#include "pipeline/testing/fake_store.h"

namespace spanloom::pipeline {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Status Check(const std::string& connectors, const std::string& pipelines) {
  FakeStore store;
  const auto node = config::ParseYaml(StrCat("receivers: {otlp: {protocols: {grpc: }}}\nexporters: {debug: }\n",
                                             "connectors: ", connectors, "\nservice: {pipelines: ", pipelines, "}\n"),
                                      "f");
  EXPECT_TRUE(node.ok()) << node.status();
  return ParseServiceConfig(*node, AllComponents(store)).status();
}

std::string Refusal(const std::string& connectors, const std::string& pipelines) {
  const Status status = Check(connectors, pipelines);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

// Scenario: two pipelines are joined, and one is split.
// Guarantees: a graph without cycles is fine.
TEST(PipelineGraph, TakesWhatSpansCanGoThroughOnce) {
  EXPECT_TRUE(
      Check("{forward: }",
            "{traces/in: {receivers: [otlp], exporters: [forward]}, traces/a: {receivers: [forward], exporters: "
            "[debug]}, traces/b: {receivers: [forward, otlp], exporters: [debug]}}")
          .ok());
}

// Scenario: a pipeline that feeds itself, and three that feed each other.
// Guarantees: the way around is named, once.
TEST(PipelineGraph, NamesTheWayAroundACycle) {
  EXPECT_THAT(Refusal("{forward: }", "{traces: {receivers: [otlp, forward], exporters: [forward]}}"),
              HasSubstr("cycle detected: pipeline traces -> connector \"forward\" -> pipeline traces"));
  EXPECT_THAT(
      Refusal("{forward/1: , forward/2: }",
              "{traces/a: {receivers: [otlp, forward/2], exporters: [forward/1]}, traces/b: {receivers: [forward/1], "
              "exporters: [debug, forward/2]}}"),
      HasSubstr("cycle detected: pipeline traces/a -> connector \"forward/1\" -> pipeline traces/b -> connector "
                "\"forward/2\" -> pipeline traces/a"));
}

// Scenario: a connector that leads nowhere, one that comes from nowhere, one with the id of an exporter, and a type
// that there is not. Guarantees: the Collector's words, with the names.
TEST(PipelineGraph, RefusesWhatJoinsNothing) {
  EXPECT_THAT(Refusal("{forward: }", "{traces: {receivers: [otlp], exporters: [forward]}}"),
              HasSubstr("connector \"forward\" used as exporter in [traces] pipeline but not used in any supported "
                        "receiver pipeline"));
  EXPECT_THAT(Refusal("{forward: }", "{traces: {receivers: [forward], exporters: [debug]}}"),
              HasSubstr("connector \"forward\" used as receiver in [traces] pipeline but not used in any supported "
                        "exporter pipeline"));
  EXPECT_THAT(
      Refusal("{foo: }", "{traces: {receivers: [otlp], exporters: [debug]}}"),
      AllOf(HasSubstr("connectors: unknown type: \"foo\""), HasSubstr("[forward routing service_graph span_metrics]")));
}

}  // namespace
}  // namespace spanloom::pipeline
