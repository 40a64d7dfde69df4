// SPDX-License-Identifier: Apache-2.0

#include "app/collector_arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>

namespace spanloom::app {
namespace {

using testing::ElementsAre;

CollectorArguments Parse(std::vector<std::string> arguments) {
  CLI::App command;
  CollectorArguments parsed;
  DeclareCollectorArguments(command, parsed);
  arguments = WithTwoDashes(std::move(arguments));
  std::reverse(arguments.begin(), arguments.end());
  command.parse(std::move(arguments));
  return parsed;
}

// Scenario: what the operator passes, with gates that an upgrade left behind, and settings in both spellings of a flag.
// Guarantees: order is kept; a flag takes one value each time.
TEST(CollectorArguments, TakesFlagsAsGoDoes) {
  const CollectorArguments parsed = Parse({"--config=/conf/collector.yaml", "-config", "env:MORE", "--set=a.b=1",
                                           "-set=c=2", "--feature-gates=-component.UseLocalHostAsDefaultHost"});
  EXPECT_THAT(parsed.locations, ElementsAre("/conf/collector.yaml", "env:MORE"));
  EXPECT_THAT(parsed.settings, ElementsAre("a.b=1", "c=2"));
  EXPECT_THAT(parsed.feature_gates, ElementsAre("-component.UseLocalHostAsDefaultHost"));
  EXPECT_EQ(parsed.verb, CollectorVerb::kRun);
}

// Scenario: how long a stop may take.
// Guarantees: durations as Go writes them; what is none is refused.
TEST(CollectorArguments, TakesADrainTimeout) {
  EXPECT_EQ(Parse({"--config=a"}).drain_timeout, std::chrono::seconds(20));
  EXPECT_EQ(Parse({"--config=a", "--drain-timeout=1m500ms"}).drain_timeout, std::chrono::milliseconds(60'500));
  EXPECT_THROW(Parse({"--config=a", "--drain-timeout=soon"}), CLI::ValidationError);
}

// Scenario: verbs with flags before and behind them.
// Guarantees: both places count.
TEST(CollectorArguments, TakesVerbs) {
  EXPECT_EQ(Parse({"validate", "--config=a"}).verb, CollectorVerb::kValidate);
  EXPECT_EQ(Parse({"--config=a", "components"}).verb, CollectorVerb::kComponents);
  const CollectorArguments print =
      Parse({"print-initial-config", "--format=json", "--mode=unredacted", "--validate=false", "--config=a"});
  EXPECT_EQ(print.verb, CollectorVerb::kPrintConfig);
  EXPECT_EQ(print.format, ConfigFormat::kJson);
  EXPECT_EQ(print.secrets, config::Secrets::kShown);
  EXPECT_FALSE(print.validates);
  EXPECT_THAT(print.locations, ElementsAre("a"));
  EXPECT_TRUE(Parse({"print-config", "--validate", "--config=a"}).validates);
}

// Scenario: a flag that is not there, and a format that is not.
// Guarantees: refused.
TEST(CollectorArguments, RefusesWhatItDoesNotKnow) {
  EXPECT_THROW(Parse({"--confg=a"}), CLI::ParseError);
  EXPECT_THROW(Parse({"print-config", "--format=toml"}), CLI::ParseError);
}

}  // namespace
}  // namespace spanloom::app
