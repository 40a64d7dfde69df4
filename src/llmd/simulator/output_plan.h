// SPDX-License-Identifier: Apache-2.0
//
// What a sequence will say: the tokens of its answer and why they end, made up from a seed before the engine runs,
// which then only has to say when each of them comes.

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "llmd/simulator/dataset.h"
#include "llmd/simulator/tokenizer.h"
#include "llmd/wire/openai_answer.h"
#include "llmd/wire/openai_request.h"

namespace spanloom::llmd::simulator {

// llm-d-inference-sim's --mode.
enum class AnswerMode : uint8_t { kRandom, kEcho };

inline constexpr int64_t kAnswerTokensMean = 128;  // of random answers that nothing else bounds; guess

struct OutputPlan {
  std::vector<TokenId> tokens = {};             // at least one
  std::vector<std::string> texts = {};          // [tokens]; empty: those of tokenizer.h
  std::string_view finish_reason = "length";    // "stop", "length", "tool_calls"
  std::optional<std::string> stop_reason = {};  // the stop string that ended it
  size_t text_bytes = 0;                        // of the tokens' text, what is shown; the rest is a stop string
  std::vector<wire::ToolCall> tool_calls = {};  // instead of text

  [[nodiscard]] std::string TextOf(size_t token) const {
    return texts.empty() ? TokenText(tokens[token]) : texts[token];
  }
};

// At most `tokens_max` (at least 1) tokens: an echo of `prompt_text`, or sentences whose length is spread around the
// mean as with an end-of-sequence token that comes by chance. Ends before the first stop string, not before min_tokens;
// with ignore_eos only there or at `tokens_max`.
[[nodiscard]] OutputPlan PlanText(const wire::Sampling& sampling, AnswerMode mode, std::string_view prompt_text,
                                  int64_t tokens_max, Rng rng);

// What was answered elsewhere, cut at `tokens_max`; with ignore_eos or min_tokens, sentences follow it as far as they
// ask.
[[nodiscard]] OutputPlan PlanRecorded(const wire::Sampling& sampling, RecordedAnswer answer, int64_t tokens_max,
                                      Rng rng);

// Calls of tools, at least one.
[[nodiscard]] OutputPlan PlanToolCalls(std::vector<wire::ToolCall> calls, int64_t tokens_max);

}  // namespace spanloom::llmd::simulator
