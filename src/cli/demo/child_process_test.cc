// SPDX-License-Identifier: Apache-2.0

#include "cli/demo/child_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>

#include "base/text.h"

namespace spanloom::cli::demo {
namespace {

using namespace std::chrono_literals;

class ChildProcessTest : public testing::Test {
 protected:
  ~ChildProcessTest() override { std::filesystem::remove_all(folder_); }

  Command Shell(std::string script) {
    return {.name = "shell",
            .program = "/bin/sh",
            .arguments = {"-c", std::move(script)},
            .environment = {{"DEMO_WORD", "blue"}},
            .log_file = (folder_ / "log").string()};
  }
  static std::string EndOf(ChildProcess& child) { return child.AwaitEnd(20s).value_or("runs on"); }

  const std::filesystem::path folder_ = [] {
    std::string name = (std::filesystem::temp_directory_path() / "demo-XXXXXX").string();
    return std::filesystem::path(mkdtemp(name.data()));
  }();
};

// Scenario: a program that writes to both outputs and ends with a status.
// Guarantees: the end is said, both outputs are in the log, the environment is this one's and what was given.
TEST_F(ChildProcessTest, RunsWithItsEnvironmentAndLog) {
  auto child = ChildProcess::Start(Shell("echo one; echo $DEMO_WORD $HOME >&2; exit 3"));
  ASSERT_TRUE(child.ok());
  EXPECT_EQ(EndOf(*child), "exit status 3");
  EXPECT_EQ(LastLines(child->command().log_file, 1), StrCat("blue ", getenv("HOME")));
  EXPECT_EQ(LastLines(child->command().log_file, 9).substr(0, 4), "one\n");
}

// Scenario: a program that is asked to end, one that is not there, and one whose owner goes away.
// Guarantees: each is gone, and it is said how it ended.
TEST_F(ChildProcessTest, EndsWithItsOwner) {
  auto asked = ChildProcess::Start(Shell("exec sleep 1000"));
  ASSERT_TRUE(asked.ok());
  EXPECT_EQ(asked->Ended(), std::nullopt);
  asked->AskToEnd();
  EXPECT_EQ(EndOf(*asked), "signal 15");

  Command missing = Shell("");
  missing.program = (folder_ / "missing").string();
  auto absent = ChildProcess::Start(missing);
  ASSERT_TRUE(absent.ok());
  EXPECT_EQ(EndOf(*absent), "exit status 127");

  pid_t pid = 0;
  {
    const auto owned = ChildProcess::Start(Shell("exec sleep 1000"));
    ASSERT_TRUE(owned.ok());
    pid = owned->pid();
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

// Scenario: a folder for the log that is not there.
// Guarantees: an error that names the program and the file.
TEST_F(ChildProcessTest, SaysThatItHasNoLog) {
  Command command = Shell("true");
  command.log_file = (folder_ / "no" / "log").string();
  const Status status = ChildProcess::Start(command).status();
  EXPECT_THAT(std::string(status.message()),
              testing::AllOf(testing::HasSubstr("shell: "), testing::HasSubstr("/no/log: ")));
}

}  // namespace
}  // namespace spanloom::cli::demo
