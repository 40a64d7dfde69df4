// SPDX-License-Identifier: Apache-2.0
//
// A stand-in for a model's tokenizer that needs no vocabulary file. A token is up to four letters of English with
// the space in front of them and perhaps a capital first letter, or one byte of anything else: about four characters
// of prose, as with the tokenizers of today's models. What is taken apart is put together again byte by byte.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llmd/wire/block_hash.h"
#include "llmd/wire/openai_request.h"

namespace spanloom::llmd::simulator {

using wire::TokenId;

inline constexpr size_t kTokenLettersMax = 4;
// Tokens 0 to 255 are bytes; behind them stand the words of one to four letters, without and with a space in front,
// then the same with a capital first letter.
inline constexpr uint32_t kByteTokens = 256;
inline constexpr uint32_t kWords = 26 + 26 * 26 + 26 * 26 * 26 + 26 * 26 * 26 * 26;
inline constexpr uint32_t kVocabularyTokens = kByteTokens + 4 * kWords;

[[nodiscard]] std::vector<TokenId> Tokenize(std::string_view text);

// How many tokens Tokenize gives.
[[nodiscard]] size_t CountTokens(std::string_view text);

// The bytes of one token; a token beyond the vocabulary is one modulo its size.
void AppendTokenText(TokenId token, std::string& text);
[[nodiscard]] std::string TokenText(TokenId token);
[[nodiscard]] std::string Detokenize(std::span<const TokenId> tokens);

// The prompt that messages become: each as "<|role|>\ncontent\n", and "<|assistant|>\n" for what is to come.
[[nodiscard]] std::string ApplyChatTemplate(const std::vector<wire::ChatMessage>& messages);

}  // namespace spanloom::llmd::simulator
