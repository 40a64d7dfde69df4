// SPDX-License-Identifier: Apache-2.0
//
// A body or message while it arrives, in one piece of memory. A declared length is believed only as far as bytes really
// come: at most kFirstBytes, or four times what has arrived, are allocated ahead.

#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "net/detail/held_bytes.h"

namespace spanloom::net {

// Thread-compatible.
class BodyBuffer {
 public:
  static constexpr size_t kFirstBytes = 256 << 10;  // guess

  // `expected_bytes` is the declared length, 0 if there is none. What is allocated is taken from `held`, which may be
  // null and must outlive the buffer.
  BodyBuffer(size_t expected_bytes, HeldBytes* held) : expected_bytes_(expected_bytes), held_(held) {}

  // Room for at least one more byte, at the end of what is filled. Null if the budget is used up.
  [[nodiscard]] char* Prepare(size_t bytes);
  [[nodiscard]] size_t free_bytes() const { return capacity_ - size_; }
  void Commit(size_t bytes) { size_ += bytes; }

  // False if the budget is used up; the buffer must then not be used.
  [[nodiscard]] bool Append(std::string_view piece);

  [[nodiscard]] size_t size() const { return size_; }

  // What has arrived. The buffer is empty afterwards, and as new.
  [[nodiscard]] Bytes Take();

 private:
  [[nodiscard]] size_t NextCapacity(size_t bytes) const;
  [[nodiscard]] bool Grow(size_t bytes);

  size_t expected_bytes_;
  HeldBytes* held_;
  std::shared_ptr<char[]> memory_;  // [capacity_], the first size_ are filled; shared once it is Bytes
  size_t capacity_ = 0;
  size_t size_ = 0;
};

}  // namespace spanloom::net
