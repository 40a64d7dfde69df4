// SPDX-License-Identifier: Apache-2.0

#include "config/location.h"

#include <gtest/gtest.h>

#include "config/print.h"

namespace spanloom::config {
namespace {

const ExpansionSources kSources = {
    .environment = [](const std::string& name) -> std::optional<std::string> {
      return name == "CONFIG" ? std::optional<std::string>("a: 1") : std::nullopt;
    },
    .read_file = [](const std::string& path) -> StatusOr<std::string> { return "file: " + path; },
    .fetch = [](const std::string& url) -> StatusOr<std::string> { return "url: " + url; },
};

std::string TextAt(std::string_view location) {
  const auto text = ReadLocation(location, kSources);
  return text.ok() ? text->text : std::string(text.status().message());
}

// Scenario: a file in three spellings, a variable that is set, one that is not, YAML, and URLs.
// Guarantees: each is read where it says.
TEST(Location, ReadsFilesVariablesAndText) {
  EXPECT_EQ(TextAt("/etc/otel/config.yaml"), "file: /etc/otel/config.yaml");
  EXPECT_EQ(TextAt("file:config.yaml"), "file: config.yaml");
  EXPECT_EQ(TextAt("c:config.yaml"), "file: c:config.yaml");
  EXPECT_EQ(TextAt("env:CONFIG"), "a: 1");
  EXPECT_EQ(TextAt("env:NONE"), "");
  EXPECT_EQ(TextAt("yaml:processors::batch::timeout: 2s"), "processors::batch::timeout: 2s");
  EXPECT_EQ(TextAt("https://host/config.yaml"), "url: https://host/config.yaml");
  EXPECT_EQ(TextAt("http://host:1/?a=b"), "url: http://host:1/?a=b");
}

// Scenario: a text at a URL with a password and a token, where the text is no map.
// Guarantees: the message says which URL, without them.
TEST(Location, NamesUrlsWithoutSecrets) {
  ExpansionSources sources = kSources;
  sources.fetch = [](const std::string&) -> StatusOr<std::string> { return "- a"; };
  const auto text = ReadLocation("https://me:secret@host/c.yaml?token=secret", sources);
  ASSERT_TRUE(text.ok()) << text.status();
  const std::string refusal(Load({{*text}}, {}, sources).status().message());
  EXPECT_TRUE(refusal.starts_with("https://host/c.yaml:1: ")) << refusal;
  EXPECT_EQ(refusal.find("secret"), std::string::npos) << refusal;
}

// Scenario: a scheme that is not there, and a variable that cannot be.
// Guarantees: refused in the words of the Collector, with what is valid.
TEST(Location, RefusesWhatItCannotRead) {
  EXPECT_TRUE(TextAt("s3://host/config.yaml").starts_with("scheme \"s3\" is not supported for uri"))
      << TextAt("s3://h");
  EXPECT_FALSE(ReadLocation("https://host/config.yaml", {}).ok());
  EXPECT_TRUE(TextAt("env:1BAD").starts_with("environment variable \"1BAD\" has invalid name")) << TextAt("env:1BAD");
}

// Scenario: a path of keys in one line, laid over a file that has other keys on it.
// Guarantees: both are there.
TEST(Location, KeyPathsAreSpreadOut) {
  const std::vector<ConfigText> texts = {{"a.yaml", "processors: {batch: {size: 1}}"},
                                         {"yaml", "processors::batch::timeout: 2s\nprocessors::filter::x: 1"}};
  const auto loaded = Load(texts, {}, kSources);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(ToYaml(loaded->node, Secrets::kShown),
            "processors:\n  batch:\n    size: 1\n    timeout: 2s\n  filter:\n    x: 1\n");
}

}  // namespace
}  // namespace spanloom::config
