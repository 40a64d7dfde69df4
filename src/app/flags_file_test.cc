// SPDX-License-Identifier: Apache-2.0

#include "app/flags_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

namespace spanloom::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A command with a flag of each kind, which was given `--port 1`, and one by a variable.
class FlagsFile : public testing::Test {
 protected:
  FlagsFile() {
    command_.add_option("--port", port_);
    command_.add_option("--name", name_);
    command_.add_option("--names", names_);
    command_.add_flag("--fast,--quick", is_fast_);
    command_.add_option("--config", name_);
    command_.add_option("--told", name_)->envname("FLAGS_FILE_TEST_TOLD");
    setenv("FLAGS_FILE_TEST_TOLD", "x", 1);
    command_.parse("--port 1");
    unsetenv("FLAGS_FILE_TEST_TOLD");
  }

  StatusOr<std::vector<std::string>> Read(std::string_view text) {
    return ReadFlagsFile(text, "f.yaml", command_, {"group"});
  }

  CLI::App command_{"", "it"};
  int port_ = 0;
  std::string name_;
  std::vector<std::string> names_;
  bool is_fast_ = false;
};

// Guarantees: lists are several values, maps JSON, blocks flags of theirs; what the command line or a variable said is
// left out, and what is null.
TEST_F(FlagsFile, BecomesArguments) {
  const auto read = Read(R"(
port: 2
told: y
name: {a: 1, b: [true, x, "2", 1.5]}
names: ["x y", {k: v}]
group:
  quick: false
)");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_THAT(*read, ElementsAre(R"(--name={"a":1,"b":[true,"x","2",1.5]})", "--names=x y", R"(--names={"k":"v"})",
                                 "--quick=false"));
  EXPECT_THAT(*Read("name: ''\nnames:"), ElementsAre("--name", ""));
  EXPECT_THAT(*Read(""), ElementsAre());
}

// Guarantees: what can't be is refused with its line, and a key that was mistyped with what was meant.
TEST_F(FlagsFile, NamesWhatIsWrong) {
  for (const auto& [text, wanted] : std::vector<std::pair<std::string, std::string>>{
           {"\nprt: 1", "f.yaml:2: \"prt\" is no flag of it; did you mean \"port\"?"},
           {"config: x", "\"config\" is no flag"},
           {"name: [a]", "takes one value"},
           {"fast: true\ngroup: {fast: true}", "say it once"},
           {"group: x", "\"group\" is no flag"},
           {"[]", "is to be a map"},
           {"{", "f.yaml"}}) {
    const auto read = Read(text);
    EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(read.status().message()), HasSubstr(wanted)) << text;
  }
}

}  // namespace
}  // namespace spanloom::app
