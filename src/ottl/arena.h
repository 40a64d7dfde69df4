// SPDX-License-Identifier: Apache-2.0
//
// Where values live that are made while a condition or statement is evaluated (value.h): given out piece by piece, let
// go all at once.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace spanloom::ottl {

// Thread-compatible. Allocates nothing until something is put in it. What it gives out is valid until Clear().
class Arena {
 public:
  Arena() = default;
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;

  // A copy of `bytes`.
  std::string_view Copy(std::string_view bytes) {
    char* copy = static_cast<char*>(Allocate(bytes.size(), 1));
    if (!bytes.empty()) std::memcpy(copy, bytes.data(), bytes.size());
    return {copy, bytes.size()};
  }

  // A copy of `items`, which need no destructor.
  template <typename T>
  std::span<const T> Copy(const std::vector<T>& items) {
    static_assert(std::is_trivially_copyable_v<T>);
    T* copy = static_cast<T*>(Allocate(items.size() * sizeof(T), alignof(T)));
    if (!items.empty()) std::memcpy(static_cast<void*>(copy), items.data(), items.size() * sizeof(T));
    return {copy, items.size()};
  }

  void Clear() {
    if (blocks_.size() > 1) blocks_.resize(1);
    used_ = 0;
  }

 private:
  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    size_t size = 0;
  };
  static constexpr size_t kBlockSize = 4096;  // bytes; guess

  void* Allocate(size_t size, size_t alignment) {
    used_ = (used_ + alignment - 1) / alignment * alignment;
    if (blocks_.empty() || used_ + size > blocks_.back().size) {
      const size_t block_size = std::max(kBlockSize, size);
      blocks_.push_back({std::make_unique<std::byte[]>(block_size), block_size});
      used_ = 0;
    }
    void* result = blocks_.back().bytes.get() + used_;
    used_ += size;
    return result;
  }

  std::vector<Block> blocks_;
  size_t used_ = 0;  // bytes of the last block
};

}  // namespace spanloom::ottl
