// SPDX-License-Identifier: Apache-2.0

#include "app/compose_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "config/yaml.h"

namespace spanloom::app {
namespace {

using config::Node;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ComposedConfig Compose(std::string_view yaml, const ComposeOptions& options = {}) {
  StatusOr<Node> user = config::ParseYaml(yaml, "user.yaml");
  EXPECT_TRUE(user.ok()) << user.status();
  return ComposeConfig(*user, options);
}

// The texts of the list or the keys of the map at `path`, steps separated by "::".
std::vector<std::string> At(const Node& root, std::string_view path) {
  const Node* node = &root;
  while (!path.empty() && node != nullptr) {
    const size_t end = path.find("::");
    node = node->Find(path.substr(0, end));
    path = end == std::string_view::npos ? "" : path.substr(end + 2);
  }
  std::vector<std::string> texts;
  if (node == nullptr) return {"(absent)"};
  if (node->is_scalar()) return {node->text()};
  for (const Node& item : node->items()) texts.push_back(item.text());
  for (const Node::Entry& entry : node->entries()) texts.push_back(entry.key);
  return texts;
}

// Scenario: an empty user configuration.
// Guarantees: the built-in one, everything on the host given.
TEST(ComposeConfig, EmptyUserGetsTheBuiltIn) {
  const ComposedConfig composed = Compose("{}", {.listen_host = "0.0.0.0"});
  EXPECT_THAT(At(composed.root, "service::pipelines::traces::exporters"), ElementsAre("spanloom_store"));
  EXPECT_THAT(At(composed.root, "receivers::otlp::protocols::grpc::endpoint"), ElementsAre("0.0.0.0:4317"));
  EXPECT_TRUE(composed.notes.empty());
  const ComposedConfig ipv6 = Compose("{}", {.listen_host = "::1"});
  EXPECT_THAT(At(ipv6.root, "receivers::otlp::protocols::grpc::endpoint"), ElementsAre("[::1]:4317"));
}

// Scenario: a Collector file with a pipeline of its own and an extension.
// Guarantees: its pipeline replaces the built-in one, gains the store, and says so; extensions are joined.
TEST(ComposeConfig, CollectorFileGainsTheStore) {
  const ComposedConfig composed = Compose(R"(
exporters: {debug: }
service:
  extensions: [zpages]
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [debug]}
)");
  EXPECT_THAT(At(composed.root, "service::pipelines::traces::exporters"), ElementsAre("debug", "spanloom_store"));
  EXPECT_THAT(At(composed.root, "service::pipelines::traces::processors"), ElementsAre("batch"));
  EXPECT_THAT(At(composed.root, "service::extensions"), ElementsAre("health_check", "spanloom_query", "zpages"));
  EXPECT_THAT(composed.notes, ElementsAre(HasSubstr("appended to pipeline traces")));
}

// Scenario: a pipeline that names the store, one that does not with appending switched off.
// Guarantees: nothing is appended.
TEST(ComposeConfig, StoreIsNotAppendedTwiceOrAgainstTheWill) {
  constexpr std::string_view kNamed =
      "service: {pipelines: {traces: {receivers: [otlp], exporters: [spanloom_store/a]}}}";
  EXPECT_THAT(At(Compose(kNamed).root, "service::pipelines::traces::exporters"), ElementsAre("spanloom_store/a"));
  constexpr std::string_view kOther = "service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}";
  EXPECT_THAT(At(Compose(kOther, {.append_store = false}).root, "service::pipelines::traces::exporters"),
              ElementsAre("debug"));
}

// Scenario: pipelines of other names: with receiver otlp, with a receiver on the built-in port, with one elsewhere.
// Guarantees: the built-in pipeline gives way in the first two cases, so that no span is stored twice and no port is
// bound twice; it stays in the third.
TEST(ComposeConfig, BuiltInPipelineGivesWay) {
  const ComposedConfig same_id = Compose("service: {pipelines: {traces/a: {receivers: [otlp], exporters: [debug]}}}");
  EXPECT_THAT(At(same_id.root, "service::pipelines"), ElementsAre("traces/a"));

  const ComposedConfig same_port = Compose(R"(
receivers: {otlp/mine: {protocols: {grpc: {endpoint: "0.0.0.0:4317"}}}}
service: {pipelines: {traces/a: {receivers: [otlp/mine], exporters: [debug]}}}
)");
  EXPECT_THAT(At(same_port.root, "receivers"), ElementsAre("otlp/mine"));
  EXPECT_THAT(At(same_port.root, "service::pipelines"), ElementsAre("traces/a"));

  const ComposedConfig elsewhere = Compose(R"(
receivers: {otlp/mine: {protocols: {grpc: {endpoint: "0.0.0.0:5317"}}}}
service: {pipelines: {traces/a: {receivers: [otlp/mine], exporters: [debug]}}}
)");
  EXPECT_THAT(At(elsewhere.root, "service::pipelines"), ElementsAre("traces", "traces/a"));
}

}  // namespace
}  // namespace spanloom::app
