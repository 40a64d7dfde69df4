// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "base/text.h"

namespace spanloom::cli::tracegen {
namespace {

using testing::HasSubstr;

using Parsed = StatusOr<std::variant<TracegenOptions, HelpText>>;

Parsed Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "tracegen");
  return ParseOptions(static_cast<int>(arguments.size()), arguments.data());
}

TracegenOptions ParseWell(const std::vector<const char*>& arguments) {
  Parsed parsed = Parse(arguments);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return parsed.ok() ? std::get<TracegenOptions>(*std::move(parsed)) : TracegenOptions{};
}

TEST(TracegenOptions, SendsAHundredTracesByDefault) {
  const TracegenOptions options = ParseWell({});
  EXPECT_EQ(options.traces, 100u);
  EXPECT_EQ(options.rate, std::nullopt);
  EXPECT_EQ(options.endpoint, "localhost:4317");
  EXPECT_EQ(options.spans_per_request, 512u);
}

TEST(TracegenOptions, DefaultPortFollowsTheProtocol) {
  EXPECT_EQ(ParseWell({"--protocol", "http"}).endpoint, "localhost:4318");
  EXPECT_EQ(ParseWell({"--protocol", "http", "--endpoint", "http://box:99/"}).endpoint, "box:99");
}

TEST(TracegenOptions, RateAndDurationMakeTheNumber) {
  EXPECT_EQ(ParseWell({"--rate", "50"}).traces, 1'500u);
  EXPECT_EQ(ParseWell({"--rate", "0.5", "--duration", "1m"}).traces, 30u);
  EXPECT_EQ(ParseWell({"--rate", "50", "--traces", "7"}).traces, 7u);
  EXPECT_EQ(ParseWell({"--rate", "50", "--traces", "7", "--duration", "100ms"}).traces, 5u);
}

TEST(TracegenOptions, ReadsTimes) {
  const TracegenOptions options =
      ParseWell({"--start-time", "2026-01-01T00:00:00.5Z", "--spread", "1h", "--timeout", "250ms"});
  EXPECT_EQ(options.start_unix_ns, 1'767'225'600'500'000'000);
  EXPECT_EQ(options.spread, std::chrono::hours(1));
  EXPECT_EQ(options.timeout, std::chrono::milliseconds(250));
}

// Scenario: no --seed, twice.
// Guarantees: two different runs.
TEST(TracegenOptions, DrawsASeed) {
  EXPECT_NE(ParseWell({}).seed, ParseWell({}).seed);
  EXPECT_EQ(ParseWell({"--seed", "18446744073709551615"}).seed, UINT64_MAX);
}

TEST(TracegenOptions, HelpIsNotAnError) {
  const Parsed parsed = Parse({"--help"});
  ASSERT_TRUE(parsed.ok());
  EXPECT_THAT(std::get<HelpText>(*parsed).text, HasSubstr("--spans-per-request"));
}

struct WrongArguments {
  std::vector<const char*> arguments;
  const char* named;  // must stand in the message
};

class WrongOptions : public testing::TestWithParam<WrongArguments> {};

INSTANTIATE_TEST_SUITE_P(
    Lines, WrongOptions,
    testing::Values(
        WrongArguments{{"--shape", "zipkin"}, "--shape"}, WrongArguments{{"--protocol", "udp"}, "--protocol"},
        WrongArguments{{"--traces", "0"}, "--traces"}, WrongArguments{{"--traces", "many"}, "--traces"},
        WrongArguments{{"--rate", "0"}, "--rate"}, WrongArguments{{"--rate", "nan"}, "--rate"},
        WrongArguments{{"--rate", "1e9"}, "--rate"}, WrongArguments{{"--duration", "5s"}, "--duration"},
        WrongArguments{{"--rate", "1", "--duration", "soon"}, "--duration"},
        WrongArguments{{"--rate", "1", "--duration", "1ms"}, "--duration"},
        WrongArguments{{"--rate", "1", "--spread", "1m"}, "--spread"}, WrongArguments{{"--spread", "-1s"}, "--spread"},
        WrongArguments{{"--timeout", "0s"}, "--timeout"}, WrongArguments{{"--timeout", "inf"}, "--timeout"},
        WrongArguments{{"--start-time", "yesterday"}, "--start-time"},
        WrongArguments{{"--start-time", "2500-01-01T00:00:00Z"}, "--start-time"},
        WrongArguments{{"--endpoint", "https://box:4317"}, "--endpoint"},
        WrongArguments{{"--endpoint", "http://box:4318/v1/traces"}, "--endpoint"},
        WrongArguments{{"--spans-per-request", "0"}, "--spans-per-request"},
        WrongArguments{{"--concurrency", "5000"}, "--concurrency"}, WrongArguments{{"--retries", "-1"}, "--retries"},
        WrongArguments{{"--compression", "zstd"}, "--compression"}, WrongArguments{{"--colour"}, "--colour"},
        WrongArguments{{"extra"}, "extra"}));

// Scenario: a command line that cannot be obeyed.
// Guarantees: an error that names the option.
TEST_P(WrongOptions, AreRefusedByName) {
  const Parsed parsed = Parse(GetParam().arguments);
  ASSERT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(parsed.status().message()), HasSubstr(GetParam().named));
}

}  // namespace
}  // namespace spanloom::cli::tracegen
