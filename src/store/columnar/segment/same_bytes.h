// SPDX-License-Identifier: Apache-2.0
//
// Compares short bytes in place: keys and texts, of which a span has some twenty, and whose comparison would be mostly
// the call of memcmp.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace spanloom::store::columnar {

[[nodiscard]] inline bool AreSame(std::string_view a, std::string_view b) {
  constexpr size_t kWord = sizeof(uint64_t);
  constexpr size_t kShortMax = 64;
  const auto differ = [&](size_t at) {
    uint64_t word_a = 0;
    uint64_t word_b = 0;
    std::memcpy(&word_a, a.data() + at, kWord);
    std::memcpy(&word_b, b.data() + at, kWord);
    return word_a != word_b;
  };
  if (a.size() != b.size()) return false;
  if (a.size() < kWord || a.size() > kShortMax) return a == b;
  for (size_t at = 0; at + kWord < a.size(); at += kWord) {
    if (differ(at)) return false;
  }
  return !differ(a.size() - kWord);
}

}  // namespace spanloom::store::columnar
