// SPDX-License-Identifier: Apache-2.0

#include "otlp/wire/writer.h"

#include <bit>
#include <cstring>

#include "otlp/wire/cursor.h"

namespace spanloom::otlp::wire {
namespace {

// Writes `value` to `buffer`, which has room for kVarintSizeMax bytes; returns how many it took.
size_t EncodeVarint(uint64_t value, char* buffer) {
  size_t size = 0;
  for (; value >= 0x80; value >>= 7) buffer[size++] = static_cast<char>(value | 0x80);
  buffer[size++] = static_cast<char>(value);
  return size;
}

// The head of a field, put together before it is appended: one append costs less than three.
class Head {
 public:
  Head(uint32_t field, Type type) { Varint(static_cast<uint64_t>(field) << 3 | static_cast<uint64_t>(type)); }

  Head& Varint(uint64_t value) {
    size_ += EncodeVarint(value, bytes_ + size_);
    return *this;
  }
  template <typename T>
  Head& Fixed(T value) {
    std::memcpy(bytes_ + size_, &value, sizeof(value));
    size_ += sizeof(value);
    return *this;
  }
  void AppendTo(std::string& out) const { out.append(bytes_, size_); }

 private:
  char bytes_[2 * kVarintSizeMax];
  size_t size_ = 0;
};

}  // namespace

void Writer::Varint(uint32_t field, uint64_t value) {
  Head(field, Type::kVarint).Varint(value).AppendTo(out_);
}

void Writer::Fixed64(uint32_t field, uint64_t value) {
  Head(field, Type::kFixed64).Fixed(value).AppendTo(out_);
}

void Writer::Fixed32(uint32_t field, uint32_t value) {
  Head(field, Type::kFixed32).Fixed(value).AppendTo(out_);
}

void Writer::PackedVarint(uint64_t value) {
  char buffer[kVarintSizeMax];
  out_.append(buffer, EncodeVarint(value, buffer));
}

void Writer::PackedFixed64(uint64_t value) {
  char buffer[sizeof(value)];
  std::memcpy(buffer, &value, sizeof(value));
  out_.append(buffer, sizeof(value));
}

void Writer::Double(uint32_t field, double value) {
  Fixed64(field, std::bit_cast<uint64_t>(value));
}

void Writer::Bytes(uint32_t field, std::string_view value) {
  BeginSized(field, value.size());
  out_.append(value);
}

Writer::Mark Writer::Begin(uint32_t field, size_t length_size) {
  Head(field, Type::kBytes).AppendTo(out_);
  out_.append(length_size, '\0');
  return {.begin = out_.size(), .length_size = length_size};
}

void Writer::End(Mark mark) {
  char length[kVarintSizeMax];
  const size_t size = EncodeVarint(out_.size() - mark.begin, length);
  const size_t length_begin = mark.begin - mark.length_size;
  if (size == mark.length_size) [[likely]] {
    std::memcpy(out_.data() + length_begin, length, size);
  } else {
    out_.replace(length_begin, mark.length_size, length, size);
  }
}

void Writer::BeginSized(uint32_t field, size_t size) {
  Head(field, Type::kBytes).Varint(size).AppendTo(out_);
}

}  // namespace spanloom::otlp::wire
