// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/logprobs.h"

#include <utility>

#include "base/rng.h"

namespace spanloom::llmd::simulator {
namespace {

uint64_t Mix(TokenId token, size_t place) {
  return Rng(token ^ Rng(place).Next()).Next();
}

double LogprobAt(TokenId token, size_t place) {
  constexpr uint64_t kSteps = 1'000;
  return -static_cast<double>(Mix(token, place) % kSteps) / kSteps - static_cast<double>(place);
}

}  // namespace

wire::TokenLogprob MakeUpLogprob(TokenId token, std::string text, size_t top) {
  wire::TokenLogprob made{.token = std::move(text), .logprob = LogprobAt(token, 0), .id = token};
  for (size_t place = 0; place < top; ++place) {
    const TokenId other = place == 0 ? token : static_cast<TokenId>(Mix(token, place) % kVocabularyTokens);
    made.top.push_back({.token = place == 0 ? made.token : TokenText(other),
                        .logprob = LogprobAt(token, place),
                        .id = other,
                        .rank = static_cast<int64_t>(place) + 1});
  }
  return made;
}

std::vector<wire::TokenLogprob> MakeUpPromptLogprobs(std::span<const TokenId> prompt, size_t top) {
  std::vector<wire::TokenLogprob> made;
  for (const TokenId token : prompt) made.push_back(MakeUpLogprob(token, TokenText(token), top));
  if (!made.empty()) made.front().logprob.reset();
  return made;
}

}  // namespace spanloom::llmd::simulator
