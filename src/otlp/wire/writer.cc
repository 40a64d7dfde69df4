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

void AppendVarint(std::string& out, uint64_t value) {
  char buffer[kVarintSizeMax];
  out.append(buffer, EncodeVarint(value, buffer));
}

void AppendTag(std::string& out, uint32_t field, Type type) {
  AppendVarint(out, static_cast<uint64_t>(field) << 3 | static_cast<uint64_t>(type));
}

template <typename T>
void AppendFixed(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

}  // namespace

void Writer::Varint(uint32_t field, uint64_t value) {
  AppendTag(out_, field, Type::kVarint);
  AppendVarint(out_, value);
}

void Writer::Fixed64(uint32_t field, uint64_t value) {
  AppendTag(out_, field, Type::kFixed64);
  AppendFixed(out_, value);
}

void Writer::Fixed32(uint32_t field, uint32_t value) {
  AppendTag(out_, field, Type::kFixed32);
  AppendFixed(out_, value);
}

void Writer::Double(uint32_t field, double value) {
  Fixed64(field, std::bit_cast<uint64_t>(value));
}

void Writer::Bytes(uint32_t field, std::string_view value) {
  AppendTag(out_, field, Type::kBytes);
  AppendVarint(out_, value.size());
  out_.append(value);
}

Writer::Mark Writer::Begin(uint32_t field, size_t length_size) {
  AppendTag(out_, field, Type::kBytes);
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
  AppendTag(out_, field, Type::kBytes);
  AppendVarint(out_, size);
}

}  // namespace spanloom::otlp::wire
