// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/output_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spanloom::llmd::simulator {
namespace {

std::string TextOf(const OutputPlan& plan) {
  return Detokenize(plan.tokens).substr(0, plan.text_bytes);
}

TEST(OutputPlan, EchoesThePrompt) {
  const OutputPlan plan = PlanText({}, AnswerMode::kEcho, "Hello, world", 100, Rng(1));
  EXPECT_EQ(TextOf(plan), "Hello, world");
  EXPECT_EQ(plan.finish_reason, "stop");
  const OutputPlan cut = PlanText({}, AnswerMode::kEcho, "Hello, world", 2, Rng(1));
  EXPECT_EQ(TextOf(cut), "Hello");
  EXPECT_EQ(cut.finish_reason, "length");
}

TEST(OutputPlan, TheSameSeedSaysTheSame) {
  EXPECT_EQ(PlanText({}, AnswerMode::kRandom, "", 100, Rng(1)).tokens,
            PlanText({}, AnswerMode::kRandom, "", 100, Rng(1)).tokens);
  EXPECT_NE(PlanText({}, AnswerMode::kRandom, "", 100, Rng(1)).tokens,
            PlanText({}, AnswerMode::kRandom, "", 100, Rng(2)).tokens);
}

// Scenario: answers of every seed under bounds.
// Guarantees: there is always a token, never too many nor too few, and "length" is said exactly where the bound cut it.
TEST(OutputPlan, KeepsToItsBounds) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    wire::Sampling sampling{.min_tokens = 5};
    const OutputPlan plan = PlanText(sampling, AnswerMode::kRandom, "", 40, Rng(seed));
    EXPECT_GE(plan.tokens.size(), 5);
    EXPECT_LE(plan.tokens.size(), 40);
    if (plan.finish_reason == "length") {
      EXPECT_EQ(plan.tokens.size(), 40);
    }
    sampling.ignores_eos = true;
    const OutputPlan whole = PlanText(sampling, AnswerMode::kRandom, "", 40, Rng(seed));
    EXPECT_EQ(whole.tokens.size(), 40);
    EXPECT_EQ(whole.finish_reason, "length");
  }
}

// Scenario: stop strings within a token, across tokens, and before min_tokens.
// Guarantees: the text ends in front of the first that counts, or behind it if that is wanted, and it is named.
TEST(OutputPlan, EndsAtAStopString) {
  wire::Sampling sampling{.stop = {"lo, wo", "never"}};
  const OutputPlan plan = PlanText(sampling, AnswerMode::kEcho, "Hello, world", 100, Rng(1));
  EXPECT_EQ(TextOf(plan), "Hel");
  EXPECT_EQ(plan.finish_reason, "stop");
  EXPECT_EQ(plan.stop_reason, "lo, wo");
  sampling.includes_stop = true;
  EXPECT_EQ(TextOf(PlanText(sampling, AnswerMode::kEcho, "Hello, world", 100, Rng(1))), "Hello, wo");
  const wire::Sampling late{.min_tokens = 3, .stop = {"a"}};
  EXPECT_EQ(TextOf(PlanText(late, AnswerMode::kEcho, "a b c a d", 100, Rng(1))), "a b c ");
}

TEST(OutputPlan, CallsTools) {
  const std::vector<wire::ToolCall> calls = {{.name = "weather", .arguments = "{}"}, {.name = "time"}};
  const OutputPlan plan = PlanToolCalls(calls, 100);
  ASSERT_EQ(plan.tool_calls.size(), 2);
  EXPECT_EQ(plan.tool_calls[0].name, "weather");
  EXPECT_EQ(Detokenize(plan.tokens), "weather{}time");
  EXPECT_EQ(plan.finish_reason, "tool_calls");
  EXPECT_EQ(PlanToolCalls(calls, 2).finish_reason, "length");
}

// Scenario: an answer of a data set, which is short enough, too long, has to go on, or has a stop in it.
// Guarantees: its own tokens and texts stand; the reason to finish is what became of it.
TEST(OutputPlan, SaysWhatWasRecorded) {
  const RecordedAnswer recorded{.tokens = {7, 8, 9}, .texts = {"one", " two", " three"}};
  const OutputPlan whole = PlanRecorded({}, recorded, 10, Rng(1));
  EXPECT_THAT(whole.tokens, testing::ElementsAre(7, 8, 9));
  EXPECT_EQ(whole.TextOf(1), " two");
  EXPECT_EQ(whole.text_bytes, 13);
  EXPECT_EQ(whole.finish_reason, "stop");
  const OutputPlan cut = PlanRecorded({}, recorded, 2, Rng(1));
  EXPECT_EQ(cut.tokens.size(), 2);
  EXPECT_EQ(cut.finish_reason, "length");
  const OutputPlan padded = PlanRecorded({.ignores_eos = true}, recorded, 6, Rng(1));
  EXPECT_EQ(padded.tokens.size(), 6);
  EXPECT_EQ(padded.texts.size(), 6);
  EXPECT_EQ(padded.finish_reason, "length");
  EXPECT_EQ(PlanRecorded({.min_tokens = 5}, recorded, 6, Rng(1)).tokens.size(), 5);
  const OutputPlan stopped = PlanRecorded({.stop = {"wo"}}, recorded, 10, Rng(1));
  EXPECT_EQ(stopped.texts.size(), 2);
  EXPECT_EQ(stopped.text_bytes, 5);
  EXPECT_EQ(PlanRecorded({}, {}, 10, Rng(1)).tokens.size(), 1);
}

}  // namespace
}  // namespace spanloom::llmd::simulator
