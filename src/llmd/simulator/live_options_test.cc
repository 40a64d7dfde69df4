// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/live_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spanloom::llmd::simulator {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

SimulatorOptions Options() {
  SimulatorOptions options{.model = "m"};
  options.fake_metrics = *FakeMetrics::Parse(R"({"running-requests": 3, "ttft-buckets-values": [1]})");
  return options;
}

// Guarantees: what is named is changed, what is null or not named stays, and whoever has to know is told.
TEST(LiveOptions, ChangesWhatIsNamed) {
  LiveOptions live(Options());
  EXPECT_FALSE(live.may_fail());
  size_t told = 0;
  const Status status = live.Change(R"({"time-to-first-token": "500ms", "inter-token-latency": 20000000,
      "failure-injection-rate": 50, "failure-types": ["rate_limit"], "time-factor-under-load": null,
      "fake-metrics": {"waiting-requests": 4, "ttft-buckets-values": []}})",
                                    [&](const SimulatorOptions& options) {
                                      ++told;
                                      EXPECT_EQ(options.engine.latency.inter_token.mean, milliseconds(20));
                                    });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(told, 1);
  const auto options = live.Get();
  EXPECT_EQ(options->engine.latency.time_to_first_token.mean, milliseconds(500));
  EXPECT_EQ(options->engine.latency.calculator, LatencyCalculator::kConstant);
  EXPECT_EQ(options->engine.latency.time_factor_under_load, 1);
  EXPECT_THAT(options->failures.types, ElementsAre("rate_limit"));
  EXPECT_TRUE(live.may_fail());
  EXPECT_EQ(options->fake_metrics->Json(), R"({"running-requests":3,"ttft-buckets-values":[],"waiting-requests":4})");
  EXPECT_THAT(OptionsJson(*options), HasSubstr(R"("time-to-first-token":"500ms")"));
}

// Guarantees: what can't be, or can't be changed, is refused by its name, and nothing else of it holds.
TEST(LiveOptions, RefusesAllOrNothing) {
  LiveOptions live(Options());
  for (const auto& [json, wanted] : std::vector<std::pair<std::string, std::string>>{
           {R"({"failure-injection-rate": 5, "max-num-seqs": 3})", "max-num-seqs"},
           {R"({"failure-injection-rate": 5, "inter-token-latncy": "1s"})", "did you mean \"inter-token-latency\""},
           {R"({"failure-injection-rate": 101})", "--failure-injection-rate"},
           {R"({"failure-injection-rate": 5, "failure-types": ["x"]})", "rate_limit"},
           {R"({"time-to-first-token": "1s", "time-to-first-token-std-dev": "1s"})", "30 %"},
           {R"({"time-to-first-token": "1s", "prefill-overhead": "1s"})", "--prefill-overhead"},
           {R"({"time-to-first-token": "soon"})", "250ms"},
           {R"({"latency-calculator": "x"})", "per-token"},
           {R"({"fake-metrics": {"x": 1}})", "no metric"},
           {"[]", "JSON object"},
           {"{", "not JSON"}}) {
    const Status status = live.Change(json, [](const SimulatorOptions&) { FAIL(); });
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << json;
    EXPECT_THAT(std::string(status.message()), HasSubstr(wanted)) << json;
  }
  EXPECT_FALSE(live.may_fail());
  LiveOptions without(SimulatorOptions{.model = "m"});
  EXPECT_FALSE(without.Change(R"({"fake-metrics": {}})", [](const SimulatorOptions&) {}).ok());
}

}  // namespace
}  // namespace spanloom::llmd::simulator
