// SPDX-License-Identifier: Apache-2.0
//
// Numbers by text, made once and then asked for every attribute of every span: which slot a key has, whether a value is
// one of those that conditions name.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spanloom::ottl {

// Thread-compatible; const use is thread-safe. A few texts are compared one by one, which is faster than hashing. The
// hash looks at the size and at both ends of a text, so that it costs the same for long ones; texts that agree in these
// are compared one by one.
class TextTable {
 public:
  // Nothing if `text` is there already.
  void Add(std::string_view text, size_t number) {
    if (Find(text)) return;
    sizes_ |= SizeBit(text);
    entries_.push_back({std::string(text), number});
    if (entries_.size() > kComparedMax) Index();
  }

  [[nodiscard]] std::optional<size_t> Find(std::string_view text) const {
    if (buckets_.empty()) {
      for (const Entry& entry : entries_) {
        if (entry.text == text) return entry.number;
      }
      return std::nullopt;
    }
    for (size_t at = HashOf(text) & mask_; buckets_[at] != kEmpty; at = (at + 1) & mask_) {
      const Entry& entry = entries_[buckets_[at]];
      if (entry.text == text) return entry.number;
    }
    return std::nullopt;
  }

  // False if Find finds nothing for sure; inline, for the many texts of another size.
  [[nodiscard]] bool MayContain(std::string_view text) const { return (sizes_ & SizeBit(text)) != 0; }

  [[nodiscard]] bool Contains(std::string_view text) const { return Find(text).has_value(); }
  [[nodiscard]] size_t size() const { return entries_.size(); }

 private:
  static constexpr size_t kComparedMax = 6;  // guess
  static constexpr uint32_t kEmpty = UINT32_MAX;

  struct Entry {
    std::string text;
    size_t number = 0;
  };

  // A bit a size, and one for all that are longer.
  static uint64_t SizeBit(std::string_view text) { return uint64_t{1} << std::min<size_t>(text.size(), 63); }

  static uint64_t HashOf(std::string_view text) {
    uint64_t first = 0;
    uint64_t last = 0;
    const size_t size = std::min(text.size(), sizeof first);
    if (size > 0) {
      std::memcpy(&first, text.data(), size);
      std::memcpy(&last, text.data() + text.size() - size, size);
    }
    const uint64_t mixed = (first ^ text.size()) * 0x9e3779b97f4a7c15 ^ last * 0xc2b2ae3d27d4eb4f;
    return (mixed ^ mixed >> 32) * 0x9e3779b97f4a7c15 >> 32;
  }

  void Index() {
    size_t count = 16;
    while (count < 4 * entries_.size()) count *= 2;
    mask_ = count - 1;
    buckets_.assign(count, kEmpty);
    for (size_t i = 0; i < entries_.size(); ++i) {
      size_t at = HashOf(entries_[i].text) & mask_;
      while (buckets_[at] != kEmpty) at = (at + 1) & mask_;
      buckets_[at] = static_cast<uint32_t>(i);
    }
  }

  std::vector<Entry> entries_;
  std::vector<uint32_t> buckets_;  // indexes of entries_, kEmpty; empty while there are few
  size_t mask_ = 0;
  uint64_t sizes_ = 0;  // of the texts, as SizeBit
};

}  // namespace spanloom::ottl
