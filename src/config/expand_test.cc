// SPDX-License-Identifier: Apache-2.0

#include "config/expand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "config/print.h"
#include "config/yaml.h"

namespace spanloom::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ExpansionSources Sources(std::map<std::string, std::string> variables) {
  ExpansionSources sources;
  sources.environment = [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  return sources;
}

Expansion Expanded(std::string_view text, const std::map<std::string, std::string>& variables = {}) {
  StatusOr<Expansion> expansion = Expand(*ParseYaml(text, "f.yaml"), Sources(variables));
  EXPECT_TRUE(expansion.ok()) << expansion.status();
  return expansion.ok() ? *std::move(expansion) : Expansion{};
}

std::string ExpandedYaml(std::string_view text, const std::map<std::string, std::string>& variables = {}) {
  return ToYaml(Expanded(text, variables).node, Secrets::kShown);
}

std::string Refusal(std::string_view text, const std::map<std::string, std::string>& variables = {}) {
  const auto expansion = Expand(*ParseYaml(text, "f.yaml"), Sources(variables));
  EXPECT_EQ(expansion.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(expansion.status().message());
}

// Scenario: variables as a whole value and inside one, in both spellings, with a default.
// Guarantees: they are replaced; whole values are typed as YAML.
TEST(Expand, ReplacesVariables) {
  EXPECT_EQ(ExpandedYaml("a: ${env:HOST}:4317\nb: ${PORT}\nc: ${env:NONE:-5s}\nd: [\"${L}\"]",
                         {{"HOST", "jaeger"}, {"PORT", "4317"}, {"L", "[x, y]"}}),
            "a: \"jaeger:4317\"\nb: 4317\nc: 5s\nd:\n  -\n    - x\n    - y\n");
}

// Scenario: a version "1.10" and a password "a: b: c" come from the environment.
// Guarantees: a field that wants a string gets the text unchanged.
TEST(Expand, KeepsTheTextForStrings) {
  const Node node = Expanded("v: ${V}\np: ${P}", {{"V", "1.10"}, {"P", "a: b: c"}}).node;
  EXPECT_EQ(ReadString(*node.Find("v")), "1.10");
  EXPECT_EQ(ReadDouble(*node.Find("v")), 1.1);
  EXPECT_EQ(ReadString(*node.Find("p")), "a: b: c");
}

// Scenario: dollar signs that are not references.
// Guarantees: "$$" is one dollar, "$HOST" stays, keys are left alone.
TEST(Expand, LeavesOtherDollarsAlone) {
  EXPECT_EQ(ExpandedYaml("a: $HOST\nb: $${env:X}\n\"${env:K}\": 100$$\nc: ${open", {{"X", "x"}}),
            "a: \"$HOST\"\nb: \"${env:X}\"\n\"${env:K}\": \"100$\"\nc: \"${open\"\n");
}

// Scenario: a variable that is not set.
// Guarantees: null (or nothing, inside a string) and a warning with its place.
TEST(Expand, WarnsOfUnsetVariables) {
  const Expansion expansion = Expanded("a: ${env:NOPE}\nb: x${NOPE}y");
  EXPECT_TRUE(expansion.node.Find("a")->is_null());
  EXPECT_EQ(expansion.node.Find("b")->text(), "xy");
  EXPECT_THAT(expansion.warnings, ElementsAre("environment variable NOPE is not set (f.yaml:1)",
                                              "environment variable NOPE is not set (f.yaml:2)"));
}

// Scenario: a variable with a text that YAML takes for null, and an empty one.
// Guarantees: null where no text is wanted, the text where one is, as for the Collector.
TEST(Expand, KeepsATextThatMeansNull) {
  const Expansion expansion = Expanded("a: ${env:WORD}\nb: ${env:EMPTY}", {{"WORD", "null"}, {"EMPTY", ""}});
  EXPECT_TRUE(expansion.node.Find("a")->is_null());
  EXPECT_EQ(ReadString(*expansion.node.Find("a")), "null");
  EXPECT_TRUE(expansion.node.Find("b")->is_null());
}

// Scenario: references that can never work.
// Guarantees: refused as the Collector refuses them, with file and line.
TEST(Expand, RefusesImpossibleReferences) {
  EXPECT_EQ(Refusal("a: ${env:1BAD}"),
            "f.yaml:1: environment variable \"1BAD\" has invalid name: must match regex ^[a-zA-Z_][a-zA-Z0-9_]*$");
  EXPECT_THAT(Refusal("a: ${foo:bar}"), HasSubstr("scheme \"foo\" is not supported for uri \"foo:bar\""));
  EXPECT_THAT(Refusal("a: ${file:/x}"), HasSubstr("\"file\" is not supported"));
}

// Scenario: two values that can't be replaced, one of them in a list.
// Guarantees: both are named.
TEST(Expand, ReportsEveryValueThatIsWrong) {
  EXPECT_EQ(Refusal("a: ${foo:bar}\nb:\n  - x${env:2}"),
            "f.yaml:1: scheme \"foo\" is not supported for uri \"foo:bar\" (valid: env, file, http, https, yaml)\n"
            "f.yaml:3: environment variable \"2\" has invalid name: must match regex ^[a-zA-Z_][a-zA-Z0-9_]*$");
}

// Scenario: a value that refers to itself, and one that doubles at every level.
// Guarantees: refused instead of running for ever.
TEST(Expand, BoundsRecursionAndSize) {
  EXPECT_THAT(Refusal("a: ${A}", {{"A", "${A}"}}), HasSubstr("nested deeper"));
  EXPECT_THAT(Refusal("a: x${A}", {{"A", "${A}${A}"}}), HasSubstr("nested deeper"));
}

// Scenario: references inside references and inside values.
// Guarantees: the inner ones are replaced first.
TEST(Expand, ReplacesNestedReferences) {
  EXPECT_EQ(ExpandedYaml("a: ${env:NONE:-${env:B}}\nb: ${C}", {{"B", "b"}, {"C", "{k: \"${B}\"}"}}),
            "a: b\nb:\n  k: b\n");
}

// Scenario: a certificate's name from a file.
// Guarantees: the content is put in; an error names the place.
TEST(Expand, ReadsFiles) {
  ExpansionSources sources = Sources({});
  sources.read_file = [](const std::string& path) -> StatusOr<std::string> {
    if (path == "/name") return std::string("jaeger");
    return absl::NotFoundError("no such file");
  };
  const auto expansion = Expand(*ParseYaml("a: ${file:/name}", "f"), sources);
  EXPECT_EQ(expansion->node.Find("a")->text(), "jaeger");
  EXPECT_FALSE(Expand(*ParseYaml("a: ${file:/none}", "f"), sources).ok());
}

// Scenario: a section from a URL, a URL in whose host a variable stands, one that is not there, and nobody who fetches.
// Guarantees: the text is put in as YAML; a failure names the place and what the fetcher says, and no token of the URL.
TEST(Expand, FetchesUrls) {
  ExpansionSources sources = Sources({{"HOST", "host"}});
  sources.fetch = [](const std::string& url) -> StatusOr<std::string> {
    if (url == "https://host/a?token=secret") return std::string("{b: [1]}");
    return absl::UnavailableError("nobody is there");
  };
  const auto expansion = Expand(*ParseYaml("a: ${https://${env:HOST}/a?token=secret}", "f"), sources);
  ASSERT_TRUE(expansion.ok()) << expansion.status();
  EXPECT_EQ(ToYaml(expansion->node, Secrets::kShown), "a:\n  b:\n    - 1\n");
  const auto failure = Expand(*ParseYaml("a: 1\nb: ${http://host/b}", "f"), sources);
  EXPECT_EQ(failure.status().message(), "f:2: nobody is there");
  EXPECT_EQ(Refusal("a: ${https://me:secret@host/a?secret}"), "f.yaml:1: URLs are not supported here: https://host/a");
}

}  // namespace
}  // namespace spanloom::config
