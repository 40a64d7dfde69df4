// SPDX-License-Identifier: Apache-2.0

#include "app/component_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "app/components.h"
#include "config/yaml.h"

namespace spanloom::app {
namespace {

using testing::Contains;
using testing::Not;

std::vector<std::string> NamesOf(const config::Node& list, std::string_view kind) {
  std::vector<std::string> names;
  for (const config::Node& item : list.Find(kind)->items()) names.push_back(item.Find("name")->text());
  return names;
}

std::vector<std::string> StabilitiesOf(const config::Node& list, std::string_view kind, std::string_view name) {
  std::vector<std::string> stabilities;
  for (const config::Node& item : list.Find(kind)->items()) {
    if (item.Find("name")->text() != name) continue;
    for (const config::Node::Entry& entry : item.Find("stability")->entries()) stabilities.push_back(entry.key);
  }
  return stabilities;
}

// Scenario: the list of a collector's components, read as YAML.
// Guarantees: each kind has its types with their old names and signals; what only a store has is not there.
TEST(ComponentList, NamesTypesAndOldNames) {
  pipeline::Registry registry;
  RegisterCollectorComponents(registry);
  const auto list = config::ParseYaml(ComponentList(registry), "list");
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_THAT(NamesOf(*list, "receivers"), Contains("otlp"));
  EXPECT_THAT(NamesOf(*list, "processors"), Contains("batch"));
  EXPECT_THAT(NamesOf(*list, "exporters"), Contains("otlp_grpc"));
  EXPECT_THAT(NamesOf(*list, "exporters"), Contains("otlp"));
  EXPECT_THAT(NamesOf(*list, "exporters"), Not(Contains("spanloom_store")));
  EXPECT_EQ(StabilitiesOf(*list, "receivers", "otlp"), (std::vector<std::string>{"traces", "metrics", "logs"}));
  EXPECT_EQ(StabilitiesOf(*list, "processors", "filter"), std::vector<std::string>{"traces"});
  EXPECT_EQ(StabilitiesOf(*list, "connectors", "forward"),
            (std::vector<std::string>{"traces-to-traces", "metrics-to-metrics", "logs-to-logs"}));
  EXPECT_EQ(list->Find("providers")->items().size(), 3U);
}

}  // namespace
}  // namespace spanloom::app
