// SPDX-License-Identifier: Apache-2.0

#include "config/load.h"

#include <gtest/gtest.h>

#include "config/print.h"

namespace spanloom::config {
namespace {

const ExpansionSources kSources = {
    .environment = [](const std::string& name) -> std::optional<std::string> {
      return name == "SIZE" ? std::optional<std::string>("77") : std::nullopt;
    },
    .read_file = nullptr,
};

// Scenario: two files and two settings touch one key.
// Guarantees: the last word wins, and variables are replaced everywhere.
TEST(Load, LaterTextsAndSettingsWin) {
  const std::vector<ConfigText> texts = {{"a.yaml", "batch: {timeout: 1s, size: 1}"},
                                         {"b.yaml", "batch: {timeout: 2s}"}};
  const std::vector<std::string> settings = {"batch.timeout=3s", "batch.size=${SIZE}"};
  const auto loaded = Load(texts, settings, kSources);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(ToYaml(loaded->node, Secrets::kShown), "batch:\n  timeout: 3s\n  size: 77\n");
}

// Scenario: a file that is a list, and one that is empty.
// Guarantees: the first is refused with its place, the second is an empty map.
TEST(Load, WantsAMapAtTheTop) {
  const std::vector<ConfigText> list = {{"a.yaml", "[x]"}};
  EXPECT_EQ(Load(list, {}, kSources).status().message(), "a.yaml:1: expected a map at the top, got list");
  const std::vector<ConfigText> empty = {{"a.yaml", ""}};
  EXPECT_TRUE(Load(empty, {}, kSources)->node.is_map());
}

// Scenario: two files with a mistake each, and a setting without a value.
// Guarantees: one refusal names all three places.
TEST(Load, ReportsEveryTextThatIsWrong) {
  const std::vector<ConfigText> texts = {{"a.yaml", "[x]"}, {"b.yaml", "a: 1\nb: [1\n"}};
  const std::vector<std::string> settings = {"batch"};
  const Status status = Load(texts, settings, kSources).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  const std::string message(status.message());
  EXPECT_NE(message.find("a.yaml:1: "), std::string::npos) << message;
  EXPECT_NE(message.find("\nb.yaml:3: not valid YAML"), std::string::npos) << message;
  EXPECT_NE(message.find("\n--set batch: "), std::string::npos) << message;
}

}  // namespace
}  // namespace spanloom::config
