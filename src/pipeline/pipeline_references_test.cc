// SPDX-License-Identifier: Apache-2.0

#include "pipeline/pipeline_references.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "config/yaml.h"
#include "pipeline/testing/all_components.h"
#include "pipeline/testing/fake_store.h"

namespace spanloom::pipeline {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A routing connector between traces/in and what begins with it.
StatusOr<ServiceConfig> Parse(const std::string& routing, const std::string& more_pipelines = "") {
  FakeStore store;
  const auto node = config::ParseYaml(
      StrCat("receivers: {otlp: {protocols: {grpc: }}}\nexporters: {debug: }\nconnectors:\n  routing: ", routing,
             "\nservice:\n  pipelines:\n    traces/in: {receivers: [otlp], exporters: [routing]}\n"
             "    traces/a: {receivers: [routing], exporters: [debug]}\n"
             "    traces/b: {receivers: [routing], exporters: [debug]}\n"
             "    traces/other: {receivers: [otlp], exporters: [debug]}\n",
             more_pipelines),
      "f");
  EXPECT_TRUE(node.ok()) << node.status();
  return ParseServiceConfig(*node, AllComponents(store));
}

std::string Refusal(const std::string& routing, const std::string& more_pipelines = "") {
  const auto config = Parse(routing, more_pipelines);
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(config.status().message());
}

// A table with a route to traces/a, and one to `second`.
std::string TableTo(const std::string& second) {
  return StrCat(
      "\n    table:\n      - {condition: 'true', pipelines: [traces/a]}\n      - condition: "
      "'attributes[\"x\"] == 1'\n        pipelines: [",
      second, "]");
}

// Scenario: all pipelines that begin with the connector are named.
// Guarantees: neither a problem nor a warning.
TEST(PipelineReferences, TakesThoseThatBeginWithTheConnector) {
  const auto config = Parse(TableTo("traces/b"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->warnings, IsEmpty());
}

// Scenario: a route to a pipeline that there is not, and one to a pipeline that does not begin with the connector.
// Guarantees: the message has the line and the path of the list, and the valid names; a near one is proposed.
TEST(PipelineReferences, RefusesThoseThatCannotBeReached) {
  EXPECT_THAT(Refusal(TableTo("traces/bb")),
              AllOf(HasSubstr("f:8: connectors::routing::table::1::pipelines: names pipeline \"traces/bb\", which is "
                              "not configured"),
                    HasSubstr("traces/a, traces/b"), HasSubstr("did you mean \"traces/b\"?")));
  EXPECT_THAT(Refusal(StrCat(TableTo("traces/b"), "\n    default_pipelines: [traces/other]")),
              AllOf(HasSubstr("f:9: connectors::routing::default_pipelines: names pipeline \"traces/other\", which has "
                              "not \"routing\" among its receivers"),
                    HasSubstr("traces/a, traces/b")));
}

// Scenario: pipelines of metrics begin and end with a connector whose table is about spans.
// Guarantees: each place is named where one signal would become another.
TEST(PipelineReferences, RefusesAnotherSignal) {
  const std::string metrics =
      "    metrics/in: {receivers: [otlp], exporters: [routing]}\n    metrics/a: {receivers: [routing], exporters: "
      "[debug]}\n";
  EXPECT_THAT(
      Refusal(TableTo("traces/b"), metrics),
      HasSubstr("connectors::routing::table::0::pipelines: names pipeline \"traces/a\", which takes traces, but "
                "pipeline \"metrics/in\", which ends in \"routing\", gives metrics"));
  EXPECT_THAT(
      Refusal("{table: [{condition: 'true', pipelines: [traces/a]}], default_pipelines: [metrics/a]}", metrics),
      HasSubstr("connectors::routing::default_pipelines: names pipeline \"metrics/a\", which takes metrics, but "
                "pipeline \"traces/in\""));
}

// Scenario: a pipeline that begins with the connector and is not named.
// Guarantees: it is allowed, and warned of.
TEST(PipelineReferences, WarnsOfThoseThatAreNotNamed) {
  const auto config = Parse(TableTo("traces/a"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->warnings,
              ElementsAre(AllOf(HasSubstr("service::pipelines::traces/b: "), HasSubstr("nothing from \"routing\""))));
}

// Scenario: a routing connector that no pipeline ends in, and one in a circle.
// Guarantees: it is told as of any connector; a way back is found through routes.
TEST(PipelineReferences, ItsGraphIsThatOfAnyConnector) {
  FakeStore store;
  const auto refusal = [&](const std::string& pipelines) {
    const auto node = config::ParseYaml(
        StrCat("receivers: {otlp: {protocols: {grpc: }}}\nexporters: {debug: }\nconnectors: {routing: {table: "
               "[{condition: 'true', pipelines: [traces/a]}]}}\nservice: {pipelines: ",
               pipelines, "}\n"),
        "f");
    return std::string(ParseServiceConfig(*node, AllComponents(store)).status().message());
  };
  EXPECT_THAT(refusal("{traces/in: {receivers: [otlp], exporters: [routing]}}"),
              HasSubstr("connector \"routing\" used as exporter in [traces/in] pipeline but not used in any supported "
                        "receiver pipeline"));
  EXPECT_THAT(refusal("{traces/a: {receivers: [otlp, routing], exporters: [routing]}}"),
              HasSubstr("cycle detected: pipeline traces/a -> connector \"routing\" -> pipeline traces/a"));
}

}  // namespace
}  // namespace spanloom::pipeline
