// SPDX-License-Identifier: Apache-2.0

#include "app/config_reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/components.h"
#include "app/compose_config.h"
#include "base/text.h"
#include "config/yaml.h"
#include "pipeline/service_config.h"

namespace spanloom::app {
namespace {

using config::OptionDoc;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

pipeline::Registry AllTypes() {
  pipeline::Registry registry;
  RegisterCollectorComponents(registry);
  RegisterStoreComponents(registry, nullptr);
  return registry;
}

// The YAML of a page's example; "" if it has none.
std::string Example(const std::string& page) {
  constexpr std::string_view kFence = "```yaml\n";
  const size_t begin = page.find(kFence);
  if (begin == std::string::npos) return "";
  return page.substr(begin + kFence.size(), page.find("```", begin + 3) - begin - kFence.size());
}

Status LoadOverBuiltIn(const std::string& yaml) {
  ASSIGN_OR_RETURN(const config::Node user, config::ParseYaml(yaml, "example"));
  return pipeline::ParseServiceConfig(ComposeConfig(user, {}).root, AllTypes()).status();
}

// Scenario: the example of every page, as a user's whole file.
// Guarantees: it loads.
TEST(ConfigReference, HasExamplesThatLoad) {
  const auto pages = ConfigReference(AllTypes());
  EXPECT_GE(pages.size(), 10u);
  for (const auto& [name, page] : pages) {
    if (name == "README.md") continue;
    EXPECT_NE(Example(page), "") << name;
    EXPECT_TRUE(LoadOverBuiltIn(Example(page)).ok()) << name << ": " << LoadOverBuiltIn(Example(page));
  }
}

// The keys of `docs` that break a rule of the reference, with their paths.
void CollectPoorKeys(const std::vector<OptionDoc>& docs, const std::string& path, std::vector<std::string>& poor) {
  for (const OptionDoc& doc : docs) {
    const std::string key = StrCat(path, "::", doc.name);
    const bool is_number = doc.type == "int" || doc.type == "float";
    if (is_number && (doc.unit.empty() || doc.range.empty()))
      poor.push_back(StrCat(key, ": a number without unit or range"));
    if (doc.words.empty()) poor.push_back(StrCat(key, ": no words"));
    const bool is_value = doc.kind == OptionDoc::Kind::kValue;
    if (is_value && doc.words.back() != '.') poor.push_back(StrCat(key, ": its words are no sentence"));
    CollectPoorKeys(doc.children, key, poor);
  }
}

template <typename Table>
std::vector<std::string> PoorKeys(const Table& table) {
  std::vector<std::string> poor;
  for (const std::string& type : table.types()) CollectPoorKeys(table.Find(type)->describe(), type, poor);
  return poor;
}

// Scenario: every key of every component and of the service.
// Guarantees: it has words, and a number has a unit and a range.
TEST(ConfigReference, DescribesEveryKey) {
  const pipeline::Registry registry = AllTypes();
  EXPECT_THAT(PoorKeys(registry.receivers), IsEmpty());
  EXPECT_THAT(PoorKeys(registry.processors), IsEmpty());
  EXPECT_THAT(PoorKeys(registry.exporters), IsEmpty());
  EXPECT_THAT(PoorKeys(registry.extensions), IsEmpty());
  std::vector<std::string> poor;
  CollectPoorKeys(pipeline::DescribeService(), "service", poor);
  EXPECT_THAT(poor, IsEmpty());
}

// Scenario: a component with an old name, nested sections and unsupported keys.
// Guarantees: its page shows them all, and the index leads to it.
TEST(ConfigReference, ShowsEveryKindOfKey) {
  const auto pages = ConfigReference(AllTypes());
  const std::string& page = pages.at("exporter-otlp_grpc.md");
  EXPECT_THAT(page, HasSubstr("# Exporter `otlp_grpc`\n"));
  EXPECT_THAT(page, HasSubstr("Old name, still read with a warning: `otlp`."));
  EXPECT_THAT(page, HasSubstr("| `timeout` | duration | `5s` | at least 0s | Longest time for one attempt. |\n"));
  EXPECT_THAT(page, HasSubstr("## `sending_queue`\n"));
  EXPECT_THAT(page, HasSubstr("| `queue_size` | int, as sizer says | `1000` | between 1 and "));
  EXPECT_THAT(page, HasSubstr("## Not supported yet\n"));
  EXPECT_THAT(page, HasSubstr("* `tls.tpm`: "));
  EXPECT_THAT(pages.at("receiver-otlp.md"), HasSubstr("## `protocols.grpc.keepalive.enforcement_policy`\n"));
  EXPECT_THAT(pages.at("README.md"), HasSubstr("[`otlp_grpc`](exporter-otlp_grpc.md)"));
}

// Guarantees: a bar in a text does not break its table; a component without keys says so.
TEST(ConfigReference, WritesTablesThatHold) {
  EXPECT_THAT(OptionTables({{.name = "a", .type = "string", .words = "x|y."}}), HasSubstr("x\\|y."));
  EXPECT_THAT(OptionTables({}), Not(HasSubstr("|")));
}

// Scenario: two sections with the same keys, and one whose keys differ far below.
// Guarantees: the second refers to the first; the third is written out.
TEST(ConfigReference, RefersToASectionWithTheSameKeys) {
  const auto section = [](std::string name, std::string words) {
    const OptionDoc leaf = {.name = "leaf", .type = "string", .words = std::move(words)};
    const OptionDoc inner = {.name = "inner", .kind = OptionDoc::Kind::kSection, .words = "In.", .children = {leaf}};
    return OptionDoc{.name = std::move(name), .kind = OptionDoc::Kind::kSection, .words = "Out.", .children = {inner}};
  };
  const std::string tables = OptionTables({section("a", "Same."), section("b", "Same."), section("c", "Other.")});
  EXPECT_THAT(tables, HasSubstr("## `b`\n\nOut. The keys are those of `a`.\n"));
  EXPECT_THAT(tables, HasSubstr("## `a.inner`"));
  EXPECT_THAT(tables, Not(HasSubstr("## `b.inner`")));
  EXPECT_THAT(tables, HasSubstr("## `c.inner`"));
}

}  // namespace
}  // namespace spanloom::app
