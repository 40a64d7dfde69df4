// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/routing_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "config/yaml.h"

namespace spanloom::pipeline {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> ProblemsOf(const std::string& yaml) {
  const auto node = config::ParseYaml(yaml, "f");
  EXPECT_TRUE(node.ok()) << node.status();
  config::Problems problems;
  static_cast<void>(config::ReadOptions<RoutingOptions>(*node, "connectors::routing", problems));
  return problems.lines();
}

// With one route, of `keys` and to traces/a.
std::vector<std::string> ProblemsOfRoute(const std::string& keys, const std::string& pipelines = "[traces/a]") {
  return ProblemsOf(StrCat("{table: [{", keys, keys.empty() ? "" : ", ", "pipelines: ", pipelines, "}]}"));
}

// Scenario: all keys, with what they may be.
// Guarantees: they are taken.
TEST(RoutingOptions, TakesWhatTheCollectorTakes) {
  EXPECT_THAT(
      ProblemsOf("{error_mode: ignore, default_pipelines: [traces], match_once: true, table: ["
                 "{context: request, condition: 'request[\"a\"] == \"b\"', action: copy, pipelines: [traces/a]}, "
                 "{context: span, statement: 'route() where IsRootSpan()', action: move, pipelines: [traces]}, "
                 "{statement: 'route()', pipelines: [traces/a, traces/b]}]}"),
      IsEmpty());
}

// Scenario: tables and routes that lack something, or have too much.
// Guarantees: each is refused where it stands, in the Collector's words where it has some.
TEST(RoutingOptions, RefusesRoutesThatAreIncomplete) {
  EXPECT_THAT(ProblemsOf("{default_pipelines: [traces]}"), ElementsAre(HasSubstr("the routing table is empty")));
  EXPECT_THAT(ProblemsOfRoute(""), ElementsAre(AllOf(HasSubstr("connectors::routing::table::0: "),
                                                     HasSubstr("no condition or statement provided"))));
  EXPECT_THAT(ProblemsOfRoute("condition: 'true', statement: 'route()'"),
              ElementsAre(HasSubstr("both condition and statement provided")));
  EXPECT_THAT(ProblemsOfRoute("condition: 'true'", "[]"), ElementsAre(HasSubstr("no pipelines defined")));
  EXPECT_THAT(ProblemsOfRoute("context: request, statement: 'route()'"),
              ElementsAre(HasSubstr("\"request\" context requires a 'condition'")));
  EXPECT_THAT(ProblemsOfRoute("condition: 'true'", "[spans/a]"),
              ElementsAre(HasSubstr("valid: traces, metrics, logs")));
  EXPECT_THAT(ProblemsOfRoute("condition: 'true', action: fork"), ElementsAre(HasSubstr("fork")));
}

// Scenario: conditions and statements that cannot be compiled, or not for the context.
// Guarantees: they are quoted with what is wrong.
TEST(RoutingOptions, RefusesWhatCannotBeAsked) {
  EXPECT_THAT(ProblemsOfRoute("condition: 'name =='"), ElementsAre(HasSubstr("unable to parse OTTL condition")));
  EXPECT_THAT(ProblemsOfRoute("condition: 'name == \"a\"'"), ElementsAre(HasSubstr("name")));
  EXPECT_THAT(ProblemsOfRoute("condition: 'scope.name == \"a\"'"), ElementsAre(HasSubstr("valid: resource, span")));
  EXPECT_THAT(ProblemsOfRoute("context: request, condition: 'true'"),
              ElementsAre(HasSubstr("request[\"header\"] == \"value\"")));
  EXPECT_THAT(ProblemsOfRoute("statement: 'set(attributes[\"a\"], 1)'"),
              ElementsAre(HasSubstr("valid: route, delete_key, delete_matching_keys")));
  EXPECT_THAT(ProblemsOfRoute("statement: 'route(1)'"), ElementsAre(HasSubstr("route takes no arguments")));
  EXPECT_THAT(ProblemsOfRoute("statement: 'route( where true'"), ElementsAre(HasSubstr("unable to parse OTTL")));
}

// Scenario: what the Collector looks into and this version does not, and a key that it has removed.
// Guarantees: refused by name with a reason; metrics and logs can be routed by request.
TEST(RoutingOptions, RefusesToLookIntoMetricsAndLogs) {
  for (const std::string context : {"metric", "datapoint", "log"}) {
    EXPECT_THAT(ProblemsOfRoute(StrCat("context: ", context, ", condition: 'true'")),
                ElementsAre(HasSubstr("carried without being looked into")));
  }
  EXPECT_THAT(ProblemsOfRoute("condition: 'attributes[\"a\"] == \"b\"'", "[logs/a]"),
              ElementsAre(HasSubstr("by context: request alone")));
  EXPECT_THAT(ProblemsOfRoute("context: request, condition: 'request[\"a\"] == \"b\"'", "[logs/a]"), IsEmpty());
  EXPECT_THAT(ProblemsOf("{match_once: false, table: [{condition: 'true', pipelines: [traces]}]}"),
              ElementsAre(HasSubstr("match_once is not supported by this version: the Collector has removed it")));
}

// Scenario: pipelines of the table and of the default, one twice in a list.
// Guarantees: all are named, with their places.
TEST(RoutingOptions, SaysWhichPipelinesItNames) {
  const RoutingOptions options{.default_pipelines = {"traces"},
                               .table = {{.pipelines = {"traces/a", "traces/a"}}, {.pipelines = {"traces/b"}}}};
  std::vector<std::string> named;
  for (const PipelineReference& reference : options.PipelineReferences()) {
    named.push_back(StrCat(reference.path, " ", reference.pipeline.ToString()));
  }
  EXPECT_THAT(named,
              ElementsAre("default_pipelines traces", "table::0::pipelines traces/a", "table::1::pipelines traces/b"));
}

}  // namespace
}  // namespace spanloom::pipeline
