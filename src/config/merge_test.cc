// SPDX-License-Identifier: Apache-2.0

#include "config/merge.h"

#include <gtest/gtest.h>

#include "config/print.h"
#include "config/yaml.h"

namespace spanloom::config {
namespace {

std::string Merged(std::string_view base, std::string_view over) {
  return ToYaml(Merge(*ParseYaml(base, "base"), *ParseYaml(over, "over")), Secrets::kShown);
}

// Scenario: two files that touch the same sections.
// Guarantees: maps are joined deeply, lists and scalars replaced.
TEST(Merge, JoinsMapsAndReplacesTheRest) {
  EXPECT_EQ(Merged("a: {b: 1, c: {d: 2}}\nl: [1, 2]\n", "a: {c: {e: 3}}\nl: [9]\n"),
            "a:\n  b: 1\n  c:\n    d: 2\n    e: 3\nl:\n  - 9\n");
}

// Scenario: a later file says null where an earlier one has a map.
// Guarantees: the key stays, its settings go.
TEST(Merge, NullReplacesAMapAndKeepsItsKey) {
  EXPECT_EQ(Merged("protocols: {grpc: {endpoint: x}, http: {}}", "protocols: {grpc: }"),
            "protocols:\n  grpc: null\n  http: {}\n");
}

// Scenario: a section of two files, and a key of the first that the second replaces.
// Guarantees: each says where the text stands that counts.
TEST(Merge, KeepsThePlacesThatCount) {
  const Node merged = Merge(*ParseYaml("a:\n  b: 1\n  c: 2\n", "base"), *ParseYaml("\n\n\na:\n  c: 3\n", "over"));
  const Node& section = *merged.Find("a");
  EXPECT_EQ(section.source().ToString(), "over:5");
  EXPECT_EQ(section.Find("b")->source().ToString(), "base:2");
  EXPECT_EQ(section.Find("c")->source().ToString(), "over:5");
  EXPECT_EQ(section.entries()[1].source.ToString(), "over:5");
}

// Scenario: --set with both separators, and with a list.
// Guarantees: the path becomes nested maps, the value is YAML, and messages can name the flag.
TEST(Merge, SettingBecomesNestedMaps) {
  const Node setting = *ParseSetting("processors.batch.timeout=2s");
  EXPECT_EQ(ToYaml(setting, Secrets::kShown), "processors:\n  batch:\n    timeout: 2s\n");
  EXPECT_EQ(setting.source().ToString(), "--set processors.batch.timeout=2s");
  EXPECT_EQ(ToYaml(*ParseSetting("a::b=[1, x]"), Secrets::kShown), "a:\n  b:\n    - 1\n    - x\n");
}

// Scenario: malformed settings.
// Guarantees: refused.
TEST(Merge, RefusesMalformedSettings) {
  for (const char* text : {"a.b", "=1", "a..b=1", ".=1", "a=[1"}) {
    EXPECT_EQ(ParseSetting(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace spanloom::config
