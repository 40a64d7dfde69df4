// SPDX-License-Identifier: Apache-2.0

#include "config/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace spanloom::config {
namespace {

using testing::HasSubstr;

Node Parsed(std::string_view text) {
  StatusOr<Node> node = ParseYaml(text, "f.yaml");
  EXPECT_TRUE(node.ok()) << node.status();
  return node.ok() ? *std::move(node) : Node();
}

std::string Refusal(std::string_view text) {
  const StatusOr<Node> node = ParseYaml(text, "f.yaml");
  EXPECT_EQ(node.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(node.status().message());
}

// Scenario: the shapes of a configuration file.
// Guarantees: the tree has them, and every node knows its line.
TEST(Yaml, KeepsShapeAndLines) {
  const Node node = Parsed("a:\n  b: [1, \"2\"]\n  c:\n\n  d: ~\ne: |\n  text\n");
  const Node& list = *node.Find("a")->Find("b");
  ASSERT_EQ(list.items().size(), 2u);
  EXPECT_EQ(list.items()[0].style(), Node::Style::kPlain);
  EXPECT_EQ(list.items()[1].style(), Node::Style::kQuoted);
  EXPECT_EQ(list.items()[1].source().ToString(), "f.yaml:2");
  EXPECT_TRUE(node.Find("a")->Find("c")->is_null());
  EXPECT_TRUE(node.Find("a")->Find("d")->is_null());
  EXPECT_EQ(node.Find("e")->text(), "text\n");
  EXPECT_EQ(node.entries()[1].source.line, 6);
}

// Scenario: an empty file, and one with comments only.
// Guarantees: both are null, not errors.
TEST(Yaml, EmptyTextIsNull) {
  EXPECT_TRUE(Parsed("").is_null());
  EXPECT_TRUE(Parsed("# nothing\n").is_null());
  EXPECT_TRUE(Parsed("---\n").is_null());
}

// Scenario: a key given twice.
// Guarantees: refused, with both lines.
TEST(Yaml, RefusesAKeyGivenTwice) {
  EXPECT_EQ(Refusal("receivers:\n  otlp:\nexporters:\nreceivers:\n"),
            "f.yaml:4: not valid YAML: mapping key \"receivers\" already defined at line 1");
}

// Scenario: text that is not YAML.
// Guarantees: refused with file and line.
TEST(Yaml, NamesTheLineOfASyntaxError) {
  EXPECT_THAT(Refusal("a: 1\nb: [1, 2\nc: 3\n"), HasSubstr("f.yaml:3: not valid YAML"));
  EXPECT_THAT(Refusal("a: 1\n\t- x\n"), HasSubstr("f.yaml:2"));
  EXPECT_THAT(Refusal("a: 1\n---\nb: 2\n"), HasSubstr("second document"));
  EXPECT_THAT(Refusal("? [a, b]\n: 1\n"), HasSubstr("key must be a scalar"));
}

// Scenario: anchors and a merge key, as people write them to share settings.
// Guarantees: own keys win over merged ones.
TEST(Yaml, ResolvesAnchorsAndMergeKeys) {
  const Node node = Parsed("base: &base {timeout: 1s, size: 5}\nbatch:\n  <<: *base\n  size: 7\n");
  const Node& batch = *node.Find("batch");
  EXPECT_EQ(batch.Find("timeout")->text(), "1s");
  EXPECT_EQ(batch.Find("size")->text(), "7");
  EXPECT_EQ(batch.entries().size(), 2u);
}

// Scenario: what is merged is no map. Guarantees: refused, as the Collector does.
TEST(Yaml, RefusesToMergeWhatIsNoMap) {
  EXPECT_THAT(Refusal("batch:\n  <<: 5\n"), HasSubstr("f.yaml:2: not valid YAML: << needs a map"));
  EXPECT_THAT(Refusal("batch: {<<: [{a: b}, 5]}\n"), HasSubstr("<< needs a map or a list of maps"));
  EXPECT_THAT(Refusal("batch:\n  <<:\n"), HasSubstr("<< needs a map or a list of maps"));
}

// Scenario: texts whose tags say what they are, and one that is not what its tag says.
// Guarantees: they are read as that; the last is refused.
TEST(Yaml, BelievesCoreTags) {
  EXPECT_EQ(ReadInt(Parsed("!!int \"5\"")), 5);
  EXPECT_EQ(ReadDouble(Parsed("!!float 5")), 5.0);
  EXPECT_EQ(ReadBool(Parsed("!!bool 'true'")), true);
  EXPECT_TRUE(Parsed("!!null ''").is_null());
  EXPECT_EQ(ReadString(Parsed("!!str 5")), "5");
  EXPECT_EQ(ReadString(Parsed("!mine 5")), "5");
  EXPECT_THAT(Refusal("a: 1\nb: !!int abc\n"), HasSubstr("f.yaml:2: not valid YAML: \"abc\" is no int"));
}

// Scenario: bytes that are no UTF-8 (a lone byte, too long a form, a cut one), and control characters, in comments too;
// then a mark of byte order and letters of each length.
// Guarantees: the first are refused with their line; the others are read.
TEST(Yaml, RefusesWhatIsNoText) {
  using namespace std::string_view_literals;
  for (const std::string_view bytes : {"\xff"sv, "\xc0\xaf"sv, "\xe0\x80\xaf"sv, "\xe2\x82"sv, "\xed\xa0\x80"sv,
                                       "\x80"sv, "\xf4\x90\x80\x80"sv, "\0"sv, "\x01"sv, "\x7f"sv, "\xc2\x80"sv}) {
    EXPECT_THAT(Refusal(StrCat("a: 1\n# ", bytes, "\n")), HasSubstr("f.yaml:2: not valid YAML: "));
  }
  EXPECT_EQ(Parsed("\xef\xbb\xbf"
                   "a: \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\t\r\n")
                .Find("a")
                ->text(),
            "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
}

// Scenario: three documents, one of them empty; one that is broken in its second document.
// Guarantees: each comes, with the lines of the file; the fault names its line.
TEST(Yaml, ReadsAStreamOfDocuments) {
  const std::vector<Node> documents = *ParseYamlStream("a: 1\n---\n---\nb: 2\n", "f.yaml");
  ASSERT_EQ(documents.size(), 3U);
  EXPECT_EQ(documents[0].Find("a")->text(), "1");
  EXPECT_TRUE(documents[1].is_null());
  EXPECT_EQ(documents[2].Find("b")->source().line, 4);
  EXPECT_TRUE(ParseYamlStream("", "f.yaml")->empty());
  EXPECT_THAT(std::string(ParseYamlStream("a: 1\n---\nb: [\n", "f.yaml").status().message()), HasSubstr("f.yaml:"));
}

// Scenario: aliases that double nine times over, and brackets without end.
// Guarantees: refused before memory or stack is spent.
TEST(Yaml, BoundsAliasesAndDepth) {
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    StrAppend(laughs, "a", i, ": &a", i, " [");
    for (int j = 0; j < 10; ++j) StrAppend(laughs, j == 0 ? "" : ", ", "*a", i - 1);
    laughs += "]\n";
  }
  EXPECT_THAT(Refusal(laughs), HasSubstr("aliases counted at every use"));
  EXPECT_THAT(Refusal(std::string(200, '[')), HasSubstr("nested deeper"));
  EXPECT_THAT(Refusal(std::string(kYamlBytesMax + 1, ' ')), HasSubstr("larger than"));
}

}  // namespace
}  // namespace spanloom::config
