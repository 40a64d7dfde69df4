// SPDX-License-Identifier: Apache-2.0

#include "doctor/vllm_arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/yaml.h"

namespace spanloom::doctor {
namespace {

using testing::ElementsAre;

std::vector<std::string> Texts(std::string_view container) {
  std::vector<std::string> texts;
  for (const Word& word : WordsOf(*config::ParseYaml(container, "f"))) texts.push_back(word.text);
  return texts;
}

// Scenario: the forms that guides have: a list, a script of several lines, a folded text.
// Guarantees: the same words.
TEST(VllmArguments, AreReadFromEveryForm) {
  const auto words = ElementsAre("vllm", "serve", "m", "--port=1");
  EXPECT_THAT(Texts("command: [vllm, serve]\nargs: [m, --port=1]\n"), words);
  EXPECT_THAT(Texts("args:\n- |\n  vllm serve m \\\n    --port=1\n"), words);
  EXPECT_THAT(Texts("args:\n- vllm serve m\n  --port=1\n"), words);
  EXPECT_THAT(Texts("args:\n- |\n  # what this is\n  vllm serve m \\\n    --port=1\n"), words);
}

TEST(VllmArguments, HaveAValueInEitherForm) {
  const std::vector<Word> words = WordsOf(*config::ParseYaml("args: [--a, x, --b=y, --c]\n", "f"));
  EXPECT_EQ(ArgumentOf(words, "--a")->text, "x");
  EXPECT_EQ(ArgumentOf(words, "--b")->text, "y");
  EXPECT_EQ(ArgumentOf(words, "--c")->text, "");
  EXPECT_FALSE(ArgumentOf(words, "--d").has_value());
}

}  // namespace
}  // namespace spanloom::doctor
