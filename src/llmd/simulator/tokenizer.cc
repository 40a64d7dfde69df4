// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/tokenizer.h"

#include <array>

#include "base/text.h"

namespace spanloom::llmd::simulator {
namespace {

constexpr uint32_t kLetters = 26;
// Where the words of each length begin.
constexpr std::array<uint32_t, kTokenLettersMax + 1> kLengthBegin = {
    0, 0, kLetters, kLetters + kLetters* kLetters, kLetters + kLetters* kLetters + kLetters* kLetters* kLetters};

bool IsLower(char letter) {
  return letter >= 'a' && letter <= 'z';
}

bool IsUpper(char letter) {
  return letter >= 'A' && letter <= 'Z';
}

uint32_t LetterIndex(char letter) {
  return static_cast<uint32_t>(IsUpper(letter) ? letter - 'A' : letter - 'a');
}

// Takes the next token off the front of `text`, which is not empty.
TokenId Next(std::string_view& text) {
  const size_t begin = text.size() > 1 && text[0] == ' ' && (IsLower(text[1]) || IsUpper(text[1])) ? 1 : 0;
  if (!IsLower(text[begin]) && !IsUpper(text[begin])) {
    const auto byte = static_cast<uint8_t>(text[0]);
    text.remove_prefix(1);
    return byte;
  }
  size_t letters = 1;
  while (letters < kTokenLettersMax && begin + letters < text.size() && IsLower(text[begin + letters])) ++letters;
  uint32_t word = 0;
  for (size_t i = 0; i < letters; ++i) word = word * kLetters + LetterIndex(text[begin + i]);
  const uint32_t form = static_cast<uint32_t>(begin) + (IsUpper(text[begin]) ? 2 : 0);
  text.remove_prefix(begin + letters);
  return kByteTokens + form * kWords + kLengthBegin[letters] + word;
}

}  // namespace

std::vector<TokenId> Tokenize(std::string_view text) {
  std::vector<TokenId> tokens;
  tokens.reserve(text.size() / 3 + 1);
  while (!text.empty()) tokens.push_back(Next(text));
  return tokens;
}

size_t CountTokens(std::string_view text) {
  size_t count = 0;
  for (; !text.empty(); ++count) Next(text);
  return count;
}

void AppendTokenText(TokenId token, std::string& text) {
  token %= kVocabularyTokens;
  if (token < kByteTokens) return text.push_back(static_cast<char>(token));
  const uint32_t form = (token - kByteTokens) / kWords;
  uint32_t word = (token - kByteTokens) % kWords;
  size_t letters = kTokenLettersMax;
  while (word < kLengthBegin[letters]) --letters;
  word -= kLengthBegin[letters];
  std::array<char, kTokenLettersMax> spelled{};
  for (size_t i = letters; i-- > 0; word /= kLetters) spelled[i] = static_cast<char>('a' + word % kLetters);
  if (form >= 2) spelled[0] = static_cast<char>(spelled[0] - 'a' + 'A');
  if (form % 2 == 1) text.push_back(' ');
  text.append(spelled.data(), letters);
}

std::string TokenText(TokenId token) {
  std::string text;
  AppendTokenText(token, text);
  return text;
}

std::string Detokenize(std::span<const TokenId> tokens) {
  std::string text;
  for (const TokenId token : tokens) AppendTokenText(token, text);
  return text;
}

std::string ApplyChatTemplate(const std::vector<wire::ChatMessage>& messages) {
  std::string prompt;
  for (const wire::ChatMessage& message : messages)
    StrAppend(prompt, "<|", message.role, "|>\n", message.content, "\n");
  return prompt + "<|assistant|>\n";
}

}  // namespace spanloom::llmd::simulator
