// SPDX-License-Identifier: Apache-2.0

#include "cli/reference/man_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spanloom::cli::reference {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Key;

// Scenario: words that begin like a request of troff, a backslash, a flag with all that a flag can have.
// Guarantees: they are printed as they are; what is known of the flag is said, its variable in a section of its own.
TEST(ManualPages, SayWhatIsKnown) {
  const FlagDoc flag{.names = {"--form"},
                     .value = "TEXT",
                     .kind = ValueKind::kText,
                     .choices = {"a", "b"},
                     .words = ".dot and \\slash",
                     .default_text = "a",
                     .variable = "TOOL_FORM",
                     .is_list = true};
  const CommandDoc root{
      .name = "tool", .words = "A tool.", .commands = {{.name = "run", .words = "Runs", .flags = {flag}}}};
  const auto pages = ManualPages(root, {.version = "1.2", .date = "2026-01-31"});
  EXPECT_THAT(pages, ElementsAre(Key("tool-run.1"), Key("tool.1")));
  EXPECT_THAT(pages.at("tool.1"), AllOf(HasSubstr(".TH TOOL 1 \"2026-01-31\" \"Spanloom 1.2\""),
                                        HasSubstr("tool \\- A tool\n"), HasSubstr(".BR tool\\-run (1)")));
  EXPECT_THAT(pages.at("tool-run.1"),
              AllOf(HasSubstr("\n\\&.dot and \\eslash.\n"), HasSubstr("One of \\fBa\\fR, \\fBb\\fR.\n"),
                    HasSubstr("Default: \\fBa\\fR.\n"), HasSubstr("May be given several times.\n"),
                    HasSubstr(".SH ENVIRONMENT\n.TP\n\\fBTOOL_FORM\\fR\n")));
}

}  // namespace
}  // namespace spanloom::cli::reference
