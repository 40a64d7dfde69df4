// SPDX-License-Identifier: Apache-2.0

#include "base/utf8.h"

#include <cstdint>
#include <cstring>

namespace spanloom {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

bool IsContinuation(std::string_view text, size_t at) {
  return at < text.size() && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80;
}

// Where the run of ASCII that starts at `at` ends; eight bytes at a time, since most text is nothing else.
size_t AsciiEnd(std::string_view text, size_t at) {
  constexpr uint64_t kHighBits = 0x8080808080808080ULL;
  uint64_t word = 0;
  for (; at + sizeof(word) <= text.size(); at += sizeof(word)) {
    std::memcpy(&word, text.data() + at, sizeof(word));
    if ((word & kHighBits) != 0) break;
  }
  while (at < text.size() && static_cast<uint8_t>(text[at]) < 0x80) ++at;
  return at;
}

}  // namespace

size_t Utf8SequenceLength(std::string_view text, size_t at) {
  const auto lead = static_cast<uint8_t>(text[at]);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4 || !IsContinuation(text, at + 1)) return 0;
  if (lead < 0xE0) return 2;
  const auto second = static_cast<uint8_t>(text[at + 1]);
  if (lead == 0xE0 && second < 0xA0) return 0;
  if (lead == 0xED && second > 0x9F) return 0;
  if (!IsContinuation(text, at + 2)) return 0;
  if (lead < 0xF0) return 3;
  if (lead == 0xF0 && second < 0x90) return 0;
  if (lead == 0xF4 && second > 0x8F) return 0;
  return IsContinuation(text, at + 3) ? 4 : 0;
}

bool IsUtf8(std::string_view text) {
  for (size_t at = AsciiEnd(text, 0); at < text.size(); at = AsciiEnd(text, at)) {
    const size_t length = Utf8SequenceLength(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

std::string RepairUtf8(std::string_view text) {
  std::string repaired;
  repaired.reserve(text.size() + kReplacement.size());
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8SequenceLength(text, at);
    repaired += length == 0 ? kReplacement : text.substr(at, length);
    at += length == 0 ? 1 : length;
  }
  return repaired;
}

std::string_view Utf8Prefix(std::string_view text, size_t characters) {
  if (text.size() <= characters) return text;
  size_t end = 0;
  for (; characters > 0 && end < text.size(); --characters) {
    const size_t length = Utf8SequenceLength(text, end);
    end += length == 0 ? 1 : length;
  }
  return text.substr(0, end);
}

}  // namespace spanloom
