// SPDX-License-Identifier: Apache-2.0

#include "cli/reference/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/reference/command_table.h"

namespace spanloom::cli::reference {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

CommandDoc Tool() {
  const FlagDoc help{.names = {"-h", "--help"}, .words = "Help"};
  const FlagDoc form{.names = {"--form"}, .value = "TEXT", .kind = ValueKind::kText, .choices = {"a", "b"}};
  const CommandDoc inner{.name = "check",
                         .aliases = {"verify"},
                         .words = "What isn't right: all",
                         .flags = {help},
                         .takes_outer_flags = true};
  return {.name = "tool", .commands = {{.name = "run", .flags = {help, form}, .commands = {inner}}}};
}

// Guarantees: a row for each name of a command; flags of outer commands are there once, where they are taken.
TEST(CommandRows, HaveARowForEachName) {
  const CommandDoc tool = Tool();
  std::vector<std::string> paths;
  for (const CommandRow& row : CommandRows(tool)) paths.push_back(row.path);
  EXPECT_THAT(paths, ElementsAre("tool", "tool run", "tool run check", "tool run verify"));
  EXPECT_EQ(CommandRows(tool)[2].flags.size(), 2u);
}

// Scenario: words with what the shells give a meaning to.
// Guarantees: quotes and colons are taken as they are.
TEST(Completion, QuotesWords) {
  EXPECT_EQ(ShellQuoted("isn't"), "'isn'\\''t'");
  EXPECT_THAT(ZshCompletion(Tool()), HasSubstr("'check:What isn'\\''t right\\: all'"));
  EXPECT_THAT(FishCompletion(Tool()), HasSubstr("-a check -d 'What isn\\'t right: all'"));
}

// Guarantees: a choice of an outer command is offered behind its flag in the inner one.
TEST(Completion, KnowsChoices) {
  EXPECT_THAT(BashCompletion(Tool()), HasSubstr("'tool run check --form'"));
  EXPECT_THAT(BashCompletion(Tool()), HasSubstr("value='words a b'"));
  EXPECT_THAT(FishCompletion(Tool()), HasSubstr("'__spanloom_at tool run' -l form -x -a 'a b'"));
}

}  // namespace
}  // namespace spanloom::cli::reference
