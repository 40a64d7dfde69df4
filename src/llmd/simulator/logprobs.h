// SPDX-License-Identifier: Apache-2.0
//
// Logarithmic probabilities of tokens, made up of the tokens alone: the same one always has the same.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "llmd/simulator/tokenizer.h"
#include "llmd/wire/openai_answer.h"

namespace spanloom::llmd::simulator {

// Of `token`, whose text is `text`, with the `top` likeliest, of which it is the first.
[[nodiscard]] wire::TokenLogprob MakeUpLogprob(TokenId token, std::string text, size_t top);

// Of each token of a prompt; the first follows from nothing, and has none.
[[nodiscard]] std::vector<wire::TokenLogprob> MakeUpPromptLogprobs(std::span<const TokenId> prompt, size_t top);

}  // namespace spanloom::llmd::simulator
