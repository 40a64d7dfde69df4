// SPDX-License-Identifier: Apache-2.0

#include "app/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "base/text.h"
#include "cli/reference/man_page.h"

namespace spanloom::app {
namespace {

using cli::reference::CommandDoc;
using cli::reference::FlagDoc;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

const CommandDoc& Find(const CommandDoc& doc, std::string_view name) {
  const auto found = std::ranges::find(doc.commands, name, &CommandDoc::name);
  EXPECT_NE(found, doc.commands.end()) << name;
  return *found;
}

const FlagDoc& Flag(const CommandDoc& doc, const std::string& name) {
  const auto found = std::ranges::find_if(
      doc.flags, [&](const FlagDoc& flag) { return std::ranges::find(flag.names, name) != flag.names.end(); });
  EXPECT_NE(found, doc.flags.end()) << name;
  return *found;
}

// Every flag and operand below `doc` that says nothing of itself, with its path.
void CollectMute(const CommandDoc& doc, const std::string& path, std::vector<std::string>& mute) {
  if (doc.words.empty()) mute.push_back(path);
  for (const auto* list : {&doc.flags, &doc.operands}) {
    for (const FlagDoc& flag : *list) {
      if (flag.words.empty()) mute.push_back(StrCat(path, " ", flag.names.empty() ? flag.value : flag.names.front()));
    }
  }
  for (const CommandDoc& inner : doc.commands) CollectMute(inner, StrCat(path, " ", inner.name), mute);
}

// Scenario: all commands.
// Guarantees: each is named once and found, and it and all its flags have words.
TEST(Commands, SayWhatTheyAre) {
  std::set<std::string> names;
  for (const Command& command : Commands()) {
    EXPECT_TRUE(names.insert(command.name).second) << command.name;
    EXPECT_EQ(FindCommand(command.name), &command);
  }
  EXPECT_EQ(FindCommand("no-such"), nullptr);
  std::vector<std::string> mute;
  CollectMute(DescribeSpanloom(), "spanloom", mute);
  EXPECT_THAT(mute, IsEmpty());
}

// Scenario: flags whose kind of value decides how they are completed, of a server, a tool and a command below another.
// Guarantees: files, directories, choices, defaults and variables are what was declared; hidden flags are not there.
TEST(Commands, DescribeTheirFlags) {
  const CommandDoc root = DescribeSpanloom();
  const CommandDoc& serve = Find(root, "serve");
  EXPECT_EQ(Flag(serve, "--config").kind, cli::reference::ValueKind::kFile);
  EXPECT_TRUE(Flag(serve, "--config").is_list);
  EXPECT_EQ(Flag(serve, "--data-dir").kind, cli::reference::ValueKind::kDirectory);
  EXPECT_EQ(Flag(serve, "--in-memory").kind, cli::reference::ValueKind::kNone);
  EXPECT_THAT(Flag(serve, "--log-format").choices, ElementsAre("text", "json"));
  EXPECT_EQ(Flag(serve, "--listen").variable, "SPANLOOM_LISTEN");
  EXPECT_EQ(Flag(serve, "--listen").default_text, "127.0.0.1");
  EXPECT_TRUE(Find(serve, "validate").takes_outer_flags);
  EXPECT_THAT(Flag(Find(Find(root, "collector"), "print-config"), "--format").choices, ElementsAre("json", "yaml"));
  EXPECT_THAT(Find(Find(root, "collector"), "print-config").aliases, ElementsAre("print-initial-config"));
  EXPECT_THAT(Flag(Find(root, "routing-proxy"), "--port").names, Contains("--port"));
  EXPECT_EQ(Flag(Find(Find(root, "store"), "dump"), "--segment").kind, cli::reference::ValueKind::kText);
  EXPECT_TRUE(Find(Find(root, "store"), "backup").operands.front().is_required);
  EXPECT_THAT(Find(Find(root, "doctor"), "live").flags, Not(IsEmpty()));
}

// Guarantees: there is a page for each command, and one for all of them.
TEST(Commands, HaveManualPages) {
  const auto pages = cli::reference::ManualPages(DescribeSpanloom(), {});
  EXPECT_EQ(pages.size(), Commands().size() + 1);
  EXPECT_TRUE(pages.contains("spanloom.1"));
  for (const Command& command : Commands()) EXPECT_TRUE(pages.contains(StrCat("spanloom-", command.name, ".1")));
}

}  // namespace
}  // namespace spanloom::app
