// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/fake_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spanloom::llmd::simulator {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

double At(std::string_view text, int ms) {
  return FakeValue::Parse(text)->At(milliseconds(ms));
}

// Guarantees: each function begins at its start, and goes where its name says.
TEST(FakeValue, FollowsItsFunction) {
  EXPECT_DOUBLE_EQ(At("ramp:10:0:5s", 0), 10);
  EXPECT_DOUBLE_EQ(At("ramp:10:0:5s", 2'500), 5);
  EXPECT_DOUBLE_EQ(At("ramp:10:0:5s", 60'000), 0);
  EXPECT_DOUBLE_EQ(At("rampreset:0:8:4s", 3'000), 6);
  EXPECT_DOUBLE_EQ(At("rampreset:0:8:4s", 5'000), 2);
  EXPECT_DOUBLE_EQ(At("squarewave:1:9:2s", 900), 1);
  EXPECT_DOUBLE_EQ(At("squarewave:1:9:2s", 1'100), 9);
  EXPECT_DOUBLE_EQ(At("oscillate:0:10:4s", 0), 5);
  EXPECT_DOUBLE_EQ(At("oscillate:0:10:4s", 1'000), 10);
  EXPECT_NEAR(At("oscillate:0:10:4s", 3'000), 0, 1e-9);
}

// Scenario: gauges, a histogram of four values, and one whose last bucket is above all bounds.
// Guarantees: buckets add up, sums are those of upper bounds, and totals that are not given are the histogram's.
TEST(FakeMetrics, AreWhatTheyWereSaidToBe) {
  const auto metrics = FakeMetrics::Parse(
      R"({"running-requests": "ramp:0:10:10s", "kv-cache-usage": 0.4, "ttft-buckets-values": [1, 0, 3],
          "request-prompt-tokens": [0, 0, 2, 0, 1], "total-generation-tokens": 77,
          "request-success-total": {"stop": 5}, "loras": [{"running": "a,b", "waiting": "c", "timestamp": 1257894567}]})");
  ASSERT_TRUE(metrics.ok()) << metrics.status();
  const std::string page =
      metrics->Render({.model_name = "m", .loras_max = 2, .model_tokens_max = 10}, milliseconds(3'900), 1);
  EXPECT_THAT(page, HasSubstr("vllm:num_requests_running{model_name=\"m\"} 3\n"));
  EXPECT_THAT(page, HasSubstr("vllm:kv_cache_usage_perc{model_name=\"m\"} 0.4\n"));
  EXPECT_THAT(page, Not(HasSubstr("num_requests_waiting")));
  EXPECT_THAT(page, HasSubstr("vllm:time_to_first_token_seconds_bucket{model_name=\"m\",le=\"0.005\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("vllm:time_to_first_token_seconds_bucket{model_name=\"m\",le=\"+Inf\"} 4\n"));
  EXPECT_THAT(page, HasSubstr("vllm:time_to_first_token_seconds_sum{model_name=\"m\"} 0.031\n"));
  EXPECT_THAT(page, HasSubstr("vllm:prompt_tokens_total{model_name=\"m\"} 21\n"));  // 2 times 5, and one above 10
  EXPECT_THAT(page, HasSubstr("vllm:generation_tokens_total{model_name=\"m\"} 77\n"));
  EXPECT_THAT(page, HasSubstr("finished_reason=\"stop\"} 5\n"));
  EXPECT_THAT(page, HasSubstr("vllm:lora_requests_info{max_lora=\"2\",waiting_lora_adapters=\"c\","
                              "running_lora_adapters=\"a,b\"} 1257894567\n"));
}

// Guarantees: a change puts what it has in the place of what was, and takes away what is empty; texts of objects, as in
// files of flags, are as good as objects.
TEST(FakeMetrics, Change) {
  FakeMetrics metrics = *FakeMetrics::Parse(
      R"({"running-requests": 1, "ttft-buckets-values": [1], "request-success-total": {"stop": 5},
          "loras": ["{\"running\":\"a\",\"waiting\":\"\",\"timestamp\":7}"]})");
  EXPECT_THAT(metrics.Render({.model_name = "m"}, milliseconds(0), 0), HasSubstr("running_lora_adapters=\"a\"} 7\n"));
  ASSERT_TRUE(metrics
                  .Change(R"({"running-requests": 2, "ttft-buckets-values": [],
                                 "request-success-total": {"length": 1}})")
                  .ok());
  const std::string page = metrics.Render({.model_name = "m"}, milliseconds(0), 0);
  EXPECT_THAT(page, HasSubstr("vllm:num_requests_running{model_name=\"m\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("finished_reason=\"length\"} 1\n"));
  EXPECT_THAT(page, Not(HasSubstr("time_to_first_token")));
  EXPECT_THAT(page, Not(HasSubstr("\"stop\"")));
}

// Guarantees: what can't be is refused, and the key is named.
TEST(FakeMetrics, RefusesWhatTheyCannotBe) {
  for (const auto& [json, key] : std::vector<std::pair<std::string, std::string>>{
           {R"({"running-requests": -1})", "running-requests"},
           {R"({"running-requests": "jump:0:1:1s"})", "running-requests"},
           {R"({"waiting-requests": "ramp:0:1:0s"})", "waiting-requests"},
           {R"({"kv-cache-usage": "ramp:0:2:1s"})", "kv-cache-usage"},
           {R"({"ttft-buckets-values": [-1]})", "ttft-buckets-values"},
           {R"({"request-success-total": {"tired": 1}})", "request-success-total"},
           {R"({"loras": [{}]})", "loras"},
           {R"({"nothing": 1})", "nothing"}}) {
    const auto metrics = FakeMetrics::Parse(json);
    EXPECT_EQ(metrics.status().code(), absl::StatusCode::kInvalidArgument) << json;
    EXPECT_THAT(std::string(metrics.status().message()), HasSubstr(key));
  }
}

}  // namespace
}  // namespace spanloom::llmd::simulator
