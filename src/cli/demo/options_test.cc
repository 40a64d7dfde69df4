// SPDX-License-Identifier: Apache-2.0

#include "cli/demo/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spanloom::cli::demo {
namespace {

using testing::HasSubstr;

StatusOr<std::variant<DemoOptions, HelpText>> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "demo");
  return ParseOptions(static_cast<int>(arguments.size()), arguments.data());
}

TEST(DemoOptions, HasDefaultsAndTakesEach) {
  const auto plain = std::get<DemoOptions>(*Parse({}));
  EXPECT_EQ(plain.rate, 2);
  EXPECT_EQ(plain.prefill_count, 1);
  EXPECT_EQ(plain.listen_host, "127.0.0.1");
  const auto given = std::get<DemoOptions>(*Parse({"--rate", "50", "--prefill=2", "--decode=3", "--data-dir", "d",
                                                   "--duration", "1m30s", "--seed", "9", "--free-ports"}));
  EXPECT_EQ(given.rate, 50);
  EXPECT_EQ(given.prefill_count, 2);
  EXPECT_EQ(given.decode_count, 3);
  EXPECT_EQ(given.data_dir, "d");
  EXPECT_EQ(given.duration, std::chrono::seconds(90));
  EXPECT_EQ(given.seed, 9u);
  EXPECT_TRUE(given.free_ports);
}

TEST(DemoOptions, NamesWhatIsWrong) {
  EXPECT_THAT(std::string(Parse({"--rate", "0"}).status().message()), HasSubstr("--rate"));
  EXPECT_THAT(std::string(Parse({"--prefill", "33"}).status().message()), HasSubstr("--prefill"));
  EXPECT_THAT(std::string(Parse({"--duration", "soon"}).status().message()), HasSubstr("--duration: \"soon\""));
  EXPECT_THAT(std::string(Parse({"--fast"}).status().message()), HasSubstr("--fast"));
}

TEST(DemoOptions, HelpNamesEveryOption) {
  const std::string help = std::get<HelpText>(*Parse({"--help"})).text;
  for (const char* option :
       {"--rate", "--prefill", "--decode", "--data-dir", "--listen", "--free-ports", "--duration", "--seed"}) {
    EXPECT_THAT(help, HasSubstr(option));
  }
}

}  // namespace
}  // namespace spanloom::cli::demo
