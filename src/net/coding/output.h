// SPDX-License-Identifier: Apache-2.0
//
// What the content codings share: where the decompressed bytes go, which never takes more than its limit, and how they
// say what is wrong with a content.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/status.h"
#include "base/text.h"

namespace spanloom::net::coding {

inline constexpr size_t kSmallestOutputBytes = 64;  // so that doubling starts somewhere
inline constexpr size_t kFirstGuessFactor = 8;      // spans deflate to a tenth to a fifth; guess

// A buffer that is not zeroed and whose capacity never exceeds a limit.
class Output {
 public:
  Output(size_t capacity, size_t bytes_max) : bytes_max_(bytes_max), capacity_(std::min(capacity, bytes_max)) {
    buffer_.reset(new char[capacity_]);
  }

  [[nodiscard]] char* free() { return buffer_.get() + size_; }
  [[nodiscard]] size_t free_bytes() const { return capacity_ - size_; }
  void Advance(size_t bytes) { size_ += bytes; }

  // Doubles the capacity; false at the limit.
  [[nodiscard]] bool Grow() {
    if (capacity_ == bytes_max_) return false;
    Resize(std::min(std::max(capacity_ * 2, kSmallestOutputBytes), bytes_max_));
    return true;
  }

  [[nodiscard]] Bytes Take() && {
    if (size_ < capacity_ / 2) Resize(size_);
    std::shared_ptr<const char[]> owner = std::move(buffer_);
    const std::string_view view(owner.get(), size_);
    return {std::move(owner), view};
  }

 private:
  void Resize(size_t capacity) {
    std::unique_ptr<char[]> larger(new char[capacity]);
    std::memcpy(larger.get(), buffer_.get(), size_);
    buffer_ = std::move(larger);
    capacity_ = capacity;
  }

  size_t bytes_max_;
  size_t capacity_;
  size_t size_ = 0;
  std::unique_ptr<char[]> buffer_;  // [capacity_], the first size_ are filled
};

inline Status NotOfThatCoding(std::string_view name) {
  return absl::InvalidArgumentError(
      StrCat("unexpected EOF or corrupt data: the content is not complete ", name, " data"));
}

inline Status TooLarge(size_t bytes_max) {
  return absl::ResourceExhaustedError(StrCat("the content is larger than ", bytes_max, " bytes after decompression"));
}

}  // namespace spanloom::net::coding
