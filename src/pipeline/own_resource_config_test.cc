// SPDX-License-Identifier: Apache-2.0

#include "pipeline/own_resource_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/yaml.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

struct Outcome {
  config::StringMap attributes;
  std::vector<std::string> problems;
};

Outcome Read(std::string_view yaml) {
  config::Problems problems;
  config::StringMap attributes = ReadOwnResource(*config::ParseYaml(yaml, "f"), "resource", problems);
  return {std::move(attributes), problems.lines()};
}

// Scenario: the map with a name that null takes away, the list, nothing, and what `print-config` of the Collector
// v0.155 says of a file without it. Guarantees: read as meant.
TEST(OwnResourceConfig, ReadsBothForms) {
  EXPECT_THAT(Read("service.name: edge\nservice.version:\n").attributes,
              ElementsAre(Pair("service.name", "edge"), Pair("service.version", "")));
  EXPECT_THAT(Read("attributes: [{name: a, value: b}, {name: c, value: '5', type: string}]").attributes,
              ElementsAre(Pair("a", "b"), Pair("c", "5")));
  for (const char* nothing : {"", "{}", "attributes:", "schema_url: https://opentelemetry.io/schemas/1.40.0",
                              "detectors: {attributes: {included: [], excluded: []}}"}) {
    const auto [attributes, problems] = Read(nothing);
    EXPECT_THAT(attributes, IsEmpty());
    EXPECT_THAT(problems, IsEmpty()) << nothing;
  }
}

// Scenario: what the Collector refuses, and what is not here.
// Guarantees: refused by name.
TEST(OwnResourceConfig, RefusesByName) {
  EXPECT_THAT(Read("a: 5").problems, ElementsAre(HasSubstr("legacy resource attribute \"a\" must be string or null")));
  EXPECT_THAT(Read("a: {b: c}").problems, ElementsAre(HasSubstr("must be string or null")));
  EXPECT_THAT(Read("[a]").problems, ElementsAre(HasSubstr("expected a map")));
  EXPECT_THAT(Read("{a: b, attributes: [{name: c, value: d}]}").problems,
              ElementsAre(HasSubstr("cannot be used together")));
  EXPECT_THAT(Read("attributes_list: a=b").problems, ElementsAre(HasSubstr("use resource::attributes")));
  EXPECT_THAT(Read("schema_url: https://x/1.0.0").problems, ElementsAre(HasSubstr("schema_url is not supported")));
  EXPECT_THAT(Read("attributes: [{name: a, value: 5}]").problems, ElementsAre(HasSubstr("write it in quotes")));
  EXPECT_THAT(Read("attributes: [{value: b}]").problems, ElementsAre(HasSubstr("name must not be empty")));
  EXPECT_THAT(Read("attributes: [{name: a, value: '5', type: int}]").problems, ElementsAre(HasSubstr("type \"int\"")));
  EXPECT_THAT(Read("attributes: {a: b}").problems, ElementsAre(HasSubstr("expected type 'list'")));
}

}  // namespace
}  // namespace spanloom::pipeline
