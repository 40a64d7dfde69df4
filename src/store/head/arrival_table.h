// SPDX-License-Identifier: Apache-2.0
//
// Finds the spans of a trace by the hash of their content, so that what comes again is not stored again.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace spanloom::store::head {

// Spans have the numbers in which they arrive. A trace of few spans allocates nothing. Thread-compatible.
class ArrivalTable {
 public:
  // True if `is_same`, called with the number of a span whose hash that is, says so for any. It may be asked about a
  // few others as well.
  template <typename IsSame>
  [[nodiscard]] bool Contains(uint64_t hash, IsSame is_same) const {
    if (size_ <= kFew) {
      for (uint32_t i = 0; i < size_; ++i) {
        if (few_[i] == hash && is_same(i)) return true;
      }
      return false;
    }
    for (auto place = places_.find(hash); place != places_.end(); place = places_.find(++hash)) {
      if (is_same(place->second)) return true;
    }
    return false;
  }

  // The hash of the next span.
  void Add(uint64_t hash) {
    if (size_ < kFew) {
      few_[size_++] = hash;
      return;
    }
    if (size_ == kFew) {
      for (uint32_t i = 0; i < kFew; ++i) Place(few_[i], i);
    }
    Place(hash, size_++);
  }

  [[nodiscard]] size_t size() const { return size_; }

 private:
  static constexpr uint32_t kFew = 8;  // so many hashes are compared one by one; guess

  // A hash that another span has stands at the next one that is free.
  void Place(uint64_t hash, uint32_t number) {
    while (!places_.try_emplace(hash, number).second) ++hash;
  }

  std::array<uint64_t, kFew> few_;  // [size_], by number; meaningless beyond kFew
  uint32_t size_ = 0;
  absl::flat_hash_map<uint64_t, uint32_t> places_;  // all of them, once there are more than kFew
};

}  // namespace spanloom::store::head
