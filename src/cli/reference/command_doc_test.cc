// SPDX-License-Identifier: Apache-2.0

#include "cli/reference/command_doc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <map>

namespace spanloom::cli::reference {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Scenario: a declaration with every kind of flag that is in use.
// Guarantees: names, kinds, choices, defaults and variables are read; what is hidden is not; groups of options belong
// to the command.
TEST(ReadCommand, ReadsWhatIsDeclared) {
  CLI::App app("Words of it", "tool");
  std::string text;
  std::vector<std::string> list;
  int number = 3;
  bool flag = false;
  app.add_option("-f,--file", list, "A file")->type_name("FILE")->required();
  app.add_option("--form", text, "A form")->check(CLI::IsMember({"", "a", "b"}));
  static const std::map<std::string, int> kNumbers = {{"one", 1}, {"two", 2}};
  app.add_option("--number", number, "A number")->transform(CLI::CheckedTransformer(kNumbers))->envname("NUMBER");
  app.add_option("--count", number, "A count")->check(CLI::Range(1, 10))->capture_default_str();
  app.add_flag("!--no-flag", flag, "A flag");
  app.add_option("--hidden", text, "Hidden")->group("");
  app.add_option_group("group", "Words")->add_flag("--grouped", flag, "Grouped");
  app.add_option("NAME", text, "A name");
  const CommandDoc doc = ReadCommand(app);

  ASSERT_EQ(doc.flags.size(), 7u);  // --help too
  EXPECT_EQ(doc.words, "Words of it");
  EXPECT_THAT(doc.flags[1].names, ElementsAre("-f", "--file"));
  EXPECT_EQ(doc.flags[1].kind, ValueKind::kFile);
  EXPECT_TRUE(doc.flags[1].is_required && doc.flags[1].is_list);
  EXPECT_THAT(doc.flags[2].choices, ElementsAre("a", "b"));
  EXPECT_EQ(doc.flags[2].value, "TEXT");
  EXPECT_THAT(doc.flags[3].choices, ElementsAre("one", "two"));
  EXPECT_EQ(doc.flags[3].variable, "NUMBER");
  EXPECT_THAT(doc.flags[4].choices, IsEmpty());
  EXPECT_EQ(doc.flags[4].default_text, "3");
  EXPECT_THAT(doc.flags[5].names, ElementsAre("--no-flag"));
  EXPECT_EQ(doc.flags[5].kind, ValueKind::kNone);
  EXPECT_THAT(doc.flags[6].names, ElementsAre("--grouped"));
  ASSERT_EQ(doc.operands.size(), 1u);
  EXPECT_EQ(doc.operands[0].value, "NAME");
  EXPECT_THAT(doc.operands[0].names, IsEmpty());
}

}  // namespace
}  // namespace spanloom::cli::reference
