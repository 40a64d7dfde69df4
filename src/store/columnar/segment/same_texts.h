// SPDX-License-Identifier: Apache-2.0
//
// Makes equal texts of a page the same bytes in memory. What comes later compares places instead of contents, and does
// not read again what has left the caches since.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "store/columnar/segment/same_bytes.h"

namespace spanloom::store::columnar {

// Remembers the texts that came last, by size and ends. Borrows them. Thread-compatible.
class SameTexts {
 public:
  // An equal text that came lately, or `text` itself.
  std::string_view Find(std::string_view text) {
    std::string_view& last = texts_[PlaceOf(text)];
    if (!AreSame(last, text)) last = text;
    return last;
  }
  // Forgets all.
  void Clear() { texts_.fill({}); }

 private:
  static constexpr size_t kPlaceBits = 8;  // guess: 4 KiB in all

  static size_t PlaceOf(std::string_view text) {
    constexpr uint64_t kOddNumber = 0x9e37'79b9'7f4a'7c15;  // of Fibonacci hashing: Knuth, volume 3, 6.4
    uint64_t begin = text.size();
    uint64_t end = 0;
    if (text.size() >= sizeof(uint64_t)) {
      std::memcpy(&begin, text.data(), sizeof(begin));
      std::memcpy(&end, text.data() + text.size() - sizeof(end), sizeof(end));
    } else if (!text.empty()) {
      end = static_cast<uint64_t>(static_cast<uint8_t>(text.front())) << 8 | static_cast<uint8_t>(text.back());
    }
    return ((begin ^ text.size()) * kOddNumber + end) * kOddNumber >> (64 - kPlaceBits);
  }

  std::array<std::string_view, size_t{1} << kPlaceBits> texts_ = {};
};

}  // namespace spanloom::store::columnar
