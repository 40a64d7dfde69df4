// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/attribute_actions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/yaml.h"
#include "otlp/editor.h"
#include "pipeline/testing/attributed_spans.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Strings = std::vector<std::string>;

struct ListOptions {
  std::vector<AttributeActionOptions> actions;
  void Declare(config::OptionsReader& r) { r.Field("actions", actions, "Actions."); }
};

ListOptions Read(const std::string& actions, config::Problems& problems) {
  return config::ReadOptions<ListOptions>(*config::ParseYaml("actions: [" + actions + "]", "f"), "p", problems);
}

// What `actions`, in YAML, leave of a=text, n=7, d=2.5, t=true, l=["x"], of a request from `origin`.
Strings After(const std::string& actions, const otlp::RequestOrigin* origin = nullptr) {
  config::Problems problems;
  const ListOptions options = Read(actions, problems);
  EXPECT_THAT(problems.lines(), IsEmpty());
  const std::string resource = otlp::EncodeResource([](otlp::AttributeWriter& w) {
    w.String("a", "text").Int("n", 7).Double("d", 2.5).Bool("t", true);
    w.Array("l", [](otlp::ArrayWriter& elements) { elements.String("x"); });
  });
  otlp::ResourceEditor editor;
  editor.Begin(resource);
  AttributeActions(options.actions).Apply(editor, origin);
  return Shown(editor.view().attributes());
}

Strings With(Strings attributes) {
  attributes.insert(attributes.end(), {"n=7", "d=2.5D", "t=true", "l=[\"x\"]"});
  return attributes;
}

Strings ProblemsOf(const std::string& action) {
  config::Problems problems;
  static_cast<void>(Read(action, problems));
  return problems.lines();
}

TEST(AttributeActions, InsertSetsWhatIsNotThere) {
  EXPECT_THAT(After("{key: new, action: insert, value: 5}").back(), "new=5");
  EXPECT_EQ(After("{key: a, action: insert, value: 5}"), With({"a=\"text\""}));
}

TEST(AttributeActions, UpdateSetsWhatIsThere) {
  EXPECT_EQ(After("{key: a, action: update, value: other}"), With({"a=\"other\""}));
  EXPECT_EQ(After("{key: new, action: update, value: other}"), With({"a=\"text\""}));
}

TEST(AttributeActions, UpsertSetsInAnyCase) {
  EXPECT_EQ(After("{key: a, action: UPSERT, value: [1, 2]}"), With({"a=[1,2]"}));
  EXPECT_EQ(After("{key: new, action: upsert, value: {k: v}}").back(), "new={\"k\":\"v\"}");
}

// Scenario: values from other attributes, which are there or not, with a default and without.
// Guarantees: the value is taken with its type; the default stands in; without one nothing happens.
TEST(AttributeActions, SetsFromAnotherAttribute) {
  EXPECT_EQ(After("{key: new, action: insert, from_attribute: n}").back(), "new=7");
  EXPECT_EQ(After("{key: a, action: update, from_attribute: a}"), With({"a=\"text\""}));
  EXPECT_EQ(After("{key: a, action: upsert, from_attribute: absent}"), With({"a=\"text\""}));
  EXPECT_EQ(After("{key: a, action: upsert, from_attribute: absent, default_value: 1.5}"), With({"a=1.5D"}));
  EXPECT_EQ(After("{key: new, action: insert, from_attribute: n, default_value: 1}").back(), "new=7");
}

// Scenario: a request with headers, one of them twice, from a user; keys of it in either case, with and without prefix.
// Guarantees: the values are found, several joined by a semicolon; what is not there does nothing, or gives the
// default.
TEST(AttributeActions, SetsFromWhatCameWithTheRequest) {
  const otlp::RequestOrigin origin = {.peer_address = "10.0.0.7",
                                      .metadata = {{"x-tenant", "a"}, {"x-team", "t"}, {"x-tenant", "b"}},
                                      .auth = {{"username", "Eve"}, {"groups", "x"}, {"groups", "y"}}};
  const auto got = [&](const std::string& source) {
    return After("{key: new, action: insert, default_value: none, from_context: " + source + "}", &origin).back();
  };
  EXPECT_EQ(got("metadata.X-Tenant"), "new=\"a;b\"");
  EXPECT_EQ(got("x-team"), "new=\"t\"");
  EXPECT_EQ(got("metadata.x-none"), "new=\"none\"");
  EXPECT_EQ(got("client.address"), "new=\"10.0.0.7\"");
  EXPECT_EQ(got("auth.username"), "new=\"Eve\"");
  EXPECT_EQ(got("auth.groups"), "new=\"x;y\"");
  EXPECT_EQ(got("auth.Username"), "new=\"none\"");
  EXPECT_EQ(After("{key: a, action: upsert, from_context: metadata.x-none}", &origin), With({"a=\"text\""}));
  EXPECT_EQ(After("{key: a, action: update, from_context: metadata.x-team}", &origin), With({"a=\"t\""}));
  EXPECT_EQ(After("{key: new, action: update, from_context: metadata.x-team}", &origin), With({"a=\"text\""}));
}

TEST(AttributeActions, WithoutARequestOnlyTheAddressIsKnownToBeNone) {
  EXPECT_EQ(After("{key: a, action: upsert, from_context: metadata.x-tenant}"), With({"a=\"text\""}));
  EXPECT_EQ(After("{key: a, action: upsert, from_context: auth.username}"), With({"a=\"text\""}));
  EXPECT_EQ(After("{key: a, action: upsert, from_context: client.address}"), With({"a=\"\""}));
}

TEST(AttributeActions, DeletesByKeyAndByPattern) {
  EXPECT_EQ(After("{key: a, action: delete}"), With({}));
  EXPECT_EQ(After("{key: absent, action: delete}"), With({"a=\"text\""}));
  EXPECT_THAT(After("{pattern: '^[ant]$', action: delete}"), ElementsAre("d=2.5D", "l=[\"x\"]"));
  EXPECT_THAT(After("{key: a, pattern: '[nt]', action: delete}"), ElementsAre("d=2.5D", "l=[\"x\"]"));
}

// Scenario: a value of each kind is hashed.
// Guarantees: SHA-256 of its text, or of its eight bytes with the lowest first; what has neither becomes empty.
TEST(AttributeActions, HashesAsTheCollectorDoes) {
  EXPECT_EQ(After("{key: a, action: hash}"),
            With({"a=\"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1\""}));
  EXPECT_EQ(After("{key: a, action: update, value: ''}, {key: a, action: hash}"),
            With({"a=\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\""}));
  EXPECT_THAT(After("{pattern: '[ndtl]', action: hash}"),
              ElementsAre("a=\"text\"", "n=\"aae89fc0f03e2959ae4d701a80cc3915918c950b159f6abb6c92c1433b1a8534\"",
                          "d=\"5caaabe50da77f59f448b3edf650d68fbca7b858390664c251c52b3f458a881c\"",
                          "t=\"4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a\"", "l=\"\""));
}

// Scenario: named groups, one of which takes no part; a value that is no text, one that does not match.
// Guarantees: each group becomes an attribute; the others are left alone.
TEST(AttributeActions, ExtractsNamedGroups) {
  EXPECT_THAT(After("{key: a, pattern: '(?P<head>..)(?P<none>z)?(?P<a>.)t', action: extract}"),
              ElementsAre("a=\"x\"", "n=7", "d=2.5D", "t=true", "l=[\"x\"]", "head=\"te\"", "none=\"\""));
  EXPECT_EQ(After("{key: n, pattern: '(?P<x>.)', action: extract}"), With({"a=\"text\""}));
  EXPECT_EQ(After("{key: a, pattern: '(?P<x>z)', action: extract}"), With({"a=\"text\""}));
}

TEST(AttributeActions, ConvertsToTexts) {
  EXPECT_THAT(After("{key: n, action: convert, converted_type: string}"), testing::Contains("n=\"7\""));
  EXPECT_THAT(After("{key: d, action: convert, converted_type: string}"), testing::Contains("d=\"2.5\""));
  EXPECT_THAT(After("{key: l, action: convert, converted_type: string}"), testing::Contains("l=\"[\\\"x\\\"]\""));
}

// Scenario: texts, doubles and bools become numbers; a text that is none, a list, a number beyond 64 bits.
// Guarantees: what cannot be converted stays as it was.
TEST(AttributeActions, ConvertsToNumbers) {
  const auto converted = [](const std::string& value, const std::string& type) {
    return After("{key: v, action: insert, value: " + value + "}, {key: v, action: convert, converted_type: " + type +
                 "}")
        .back();
  };
  EXPECT_EQ(converted("'-12'", "int"), "v=-12");
  EXPECT_EQ(converted("'+12'", "int"), "v=12");
  EXPECT_EQ(converted("'12x'", "int"), "v=\"12x\"");
  EXPECT_EQ(converted("''", "int"), "v=\"\"");
  EXPECT_EQ(converted("-2.9", "int"), "v=-2");
  EXPECT_EQ(converted("1e30", "int"), "v=1e+30D");
  EXPECT_EQ(converted("true", "int"), "v=1");
  EXPECT_EQ(converted("[1]", "int"), "v=[1]");
  EXPECT_EQ(converted("'2.5e3'", "double"), "v=2500D");
  EXPECT_EQ(converted("7", "double"), "v=7D");
  EXPECT_EQ(converted("false", "double"), "v=0D");
}

// Scenario: three actions that build on each other.
// Guarantees: each sees what the ones before it left.
TEST(AttributeActions, WorkInTheirOrder) {
  EXPECT_EQ(After("{key: b, action: insert, from_attribute: a}, {key: a, action: delete},"
                  "{key: a, action: insert, value: again}"),
            Strings({"a=\"again\"", "n=7", "d=2.5D", "t=true", "l=[\"x\"]", "b=\"text\""}));
}

// Scenario: actions without what they need, or with what they do not use.
// Guarantees: each is refused, and names the key.
TEST(AttributeActionOptions, RefusesWhatItWouldNotDo) {
  EXPECT_THAT(ProblemsOf("{key: a}"), ElementsAre(HasSubstr("p::actions::0: action must be one of")));
  EXPECT_THAT(ProblemsOf("{key: a, action: rename}"), ElementsAre(HasSubstr("action must be one of")));
  EXPECT_THAT(ProblemsOf("{action: insert, value: 1}"), ElementsAre(HasSubstr("key is missing")));
  EXPECT_THAT(ProblemsOf("{action: delete}"), ElementsAre(HasSubstr("key or pattern is missing")));
  EXPECT_THAT(ProblemsOf("{key: a, action: insert}"),
              ElementsAre(HasSubstr("from_context or default_value is missing")));
  EXPECT_THAT(ProblemsOf("{key: a, action: insert, value: 1, from_attribute: b}"), ElementsAre(HasSubstr("exclude")));
  EXPECT_THAT(ProblemsOf("{key: a, action: insert, value: 1, pattern: b}"),
              ElementsAre(HasSubstr("pattern is not used")));
  EXPECT_THAT(ProblemsOf("{key: a, action: hash, value: 1}"), ElementsAre(HasSubstr("value is not used")));
  EXPECT_THAT(ProblemsOf("{key: a, action: delete, converted_type: int}"),
              ElementsAre(HasSubstr("converted_type is not used")));
  EXPECT_THAT(ProblemsOf("{key: a, action: convert, converted_type: bool}"),
              ElementsAre(HasSubstr("converted_type must be one of")));
  EXPECT_THAT(ProblemsOf("{key: a, action: extract}"), ElementsAre(HasSubstr("pattern is needed")));
  EXPECT_THAT(ProblemsOf("{key: a, action: extract, pattern: '(x)'}"), ElementsAre(HasSubstr("group without a name")));
  EXPECT_THAT(ProblemsOf("{key: a, action: extract, pattern: x}"), ElementsAre(HasSubstr("no group")));
  EXPECT_THAT(ProblemsOf("{action: delete, pattern: '('}"),
              ElementsAre(HasSubstr("f:1: p::actions::0: pattern is not a regular expression")));
  EXPECT_THAT(ProblemsOf("{key: a, action: insert, value: 1, from_context: metadata.x}"),
              ElementsAre(HasSubstr("exclude each other")));
  EXPECT_THAT(ProblemsOf("{key: a, action: convert, converted_type: int, from_context: metadata.x}"),
              ElementsAre(HasSubstr("from_context is not used")));
}

}  // namespace
}  // namespace spanloom::pipeline
