// SPDX-License-Identifier: Apache-2.0

#include "net/detail/body_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace spanloom::net {
namespace {

constexpr size_t kFirstBytesUndeclared = 4 << 10;  // guess
constexpr size_t kGrowthDeclared = 4;              // 4 MiB are copied 1.25 MiB on the way
constexpr size_t kGrowthUndeclared = 2;
constexpr size_t kWasteMax = 2;  // times what is needed; a copy then costs less than the memory; guess

}  // namespace

size_t BodyBuffer::NextCapacity(size_t bytes) const {
  const size_t needed = size_ + bytes;
  if (needed > expected_bytes_) return std::max({needed, capacity_ * kGrowthUndeclared, kFirstBytesUndeclared});
  return std::min(expected_bytes_, std::max({needed, kFirstBytes, capacity_ * kGrowthDeclared}));
}

bool BodyBuffer::Grow(size_t bytes) {
  const size_t capacity = NextCapacity(bytes);
  if (held_ != nullptr && !held_->TryAdd(capacity - capacity_)) return false;
  std::shared_ptr<char[]> larger = std::make_shared_for_overwrite<char[]>(capacity);
  if (size_ > 0) std::memcpy(larger.get(), memory_.get(), size_);
  memory_ = std::move(larger);
  capacity_ = capacity;
  return true;
}

char* BodyBuffer::Prepare(size_t bytes) {
  if (free_bytes() < bytes && !Grow(bytes)) return nullptr;
  return memory_.get() + size_;
}

bool BodyBuffer::Append(std::string_view piece) {
  if (piece.empty()) return true;
  char* const free = Prepare(piece.size());
  if (free == nullptr) return false;
  std::memcpy(free, piece.data(), piece.size());
  Commit(piece.size());
  return true;
}

Bytes BodyBuffer::Take() {
  const std::shared_ptr<char[]> memory = std::exchange(memory_, nullptr);
  const size_t size = std::exchange(size_, 0);
  const size_t capacity = std::exchange(capacity_, 0);
  if (size == 0) return {};
  const std::string_view view(memory.get(), size);
  return capacity > size * kWasteMax ? Bytes::CopyOf(view) : Bytes(memory, view);
}

}  // namespace spanloom::net
