// SPDX-License-Identifier: Apache-2.0
//
// Text of cells that lies in no stored message: ids, and JSON of nested values.

#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace spanloom::store::scan {

// Keeps copies, which stay where they are until it ends or is cleared. Thread-compatible.
class TextArena {
 public:
  // A copy of `text`.
  std::string_view Keep(std::string_view text);

  // Forgets all copies, and keeps one block for the next ones.
  void Clear();

  // Of all blocks.
  [[nodiscard]] size_t bytes() const { return bytes_; }

 private:
  static constexpr size_t kBlockBytes = 4'096;  // longer texts get a block of their own; guess

  void AddBlock(size_t size);

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;  // within the last block
  size_t left_ = 0;       // bytes of it
  size_t bytes_ = 0;
};

}  // namespace spanloom::store::scan
