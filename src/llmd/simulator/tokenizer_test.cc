// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/tokenizer.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace spanloom::llmd::simulator {
namespace {

// Scenario: texts of letters, spaces, digits, capitals and bytes that are no UTF-8, from a seed.
// Guarantees: what is taken apart is put together again, every id is in the vocabulary, and the count is that of the
// list.
TEST(Tokenizer, PutsTogetherWhatItTookApart) {
  constexpr std::string_view kAlphabet = "abcxyzABZ   .,19\n\xc3\xa9\xff";
  Rng rng(7);
  for (int round = 0; round < 2'000; ++round) {
    std::string text;
    for (uint64_t left = rng.Below(40); left > 0; --left) text += kAlphabet[rng.Below(kAlphabet.size())];
    const std::vector<TokenId> tokens = Tokenize(text);
    EXPECT_EQ(Detokenize(tokens), text);
    EXPECT_EQ(CountTokens(text), tokens.size());
    for (const TokenId token : tokens) EXPECT_LT(token, kVocabularyTokens);
  }
}

TEST(Tokenizer, TakesAboutFourCharactersOfProse) {
  EXPECT_EQ(Tokenize("The quick brown fox").size(), 6);  // The| quic|k| brow|n| fox
  EXPECT_EQ(Tokenize("").size(), 0);
  EXPECT_EQ(Tokenize(" "), std::vector<TokenId>{' '});
}

TEST(Tokenizer, EveryTokenHasItsOwnText) {
  for (const TokenId token :
       {0U, 255U, kByteTokens, kByteTokens + kWords - 1, kByteTokens + kWords, kVocabularyTokens - 1}) {
    if (token < 128 || token >= kByteTokens) {
      EXPECT_EQ(Tokenize(TokenText(token)), std::vector<TokenId>{token});
    }
  }
}

TEST(Tokenizer, MessagesBecomeOnePrompt) {
  EXPECT_EQ(ApplyChatTemplate({{.role = "system", .content = "Be brief."}, {.role = "user", .content = "Hi"}}),
            "<|system|>\nBe brief.\n<|user|>\nHi\n<|assistant|>\n");
}

}  // namespace
}  // namespace spanloom::llmd::simulator
