// SPDX-License-Identifier: Apache-2.0
//
// Where characters begin and end in UTF-8. Text that is not UTF-8 is taken byte by byte.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace spanloom::ottl {

[[nodiscard]] inline bool IsUtf8Continuation(char c) {
  return (static_cast<uint8_t>(c) & 0xc0) == 0x80;
}

// Bytes of the first character of `text`, which is not empty.
[[nodiscard]] inline size_t Utf8Size(std::string_view text) {
  const auto first = static_cast<uint8_t>(text[0]);
  const size_t size = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (size > text.size()) return 1;
  for (size_t i = 1; i < size; ++i) {
    if (!IsUtf8Continuation(text[i])) return 1;
  }
  return size;
}

// The code point of a character that Utf8Size found.
[[nodiscard]] inline uint32_t Utf8CodePoint(std::string_view character) {
  const auto first = static_cast<uint8_t>(character[0]);
  if (character.size() == 1) return first;
  uint32_t rune = first & (0xffu >> (character.size() + 1));
  for (const char c : character.substr(1)) rune = rune << 6 | (static_cast<uint8_t>(c) & 0x3f);
  return rune;
}

// `text` without the characters at its ends for which `goes` is true.
template <typename Goes>
[[nodiscard]] std::string_view TrimmedUtf8(std::string_view text, Goes goes) {
  while (!text.empty() && goes(text.substr(0, Utf8Size(text)))) text.remove_prefix(Utf8Size(text));
  while (!text.empty()) {
    size_t last = text.size() - 1;
    while (last > 0 && IsUtf8Continuation(text[last])) --last;
    if (!goes(text.substr(last))) break;
    text = text.substr(0, last);
  }
  return text;
}

// Appends a code point, which is below 0x110000.
inline void AppendUtf8(std::string& out, uint32_t rune) {
  const auto continuation = [&](int shift) { out.push_back(static_cast<char>(0x80 | (rune >> shift & 0x3f))); };
  if (rune < 0x80) {
    out.push_back(static_cast<char>(rune));
  } else if (rune < 0x800) {
    out.push_back(static_cast<char>(0xc0 | rune >> 6));
    continuation(0);
  } else if (rune < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | rune >> 12));
    continuation(6);
    continuation(0);
  } else {
    out.push_back(static_cast<char>(0xf0 | rune >> 18));
    continuation(12);
    continuation(6);
    continuation(0);
  }
}

}  // namespace spanloom::ottl
