// SPDX-License-Identifier: Apache-2.0
//
// Writes the primitive things of our files: fixed-width integers, varints, texts. docs/formats/segment.md says which.

#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace spanloom::store::columnar {

static_assert(std::endian::native == std::endian::little, "integers are written as they lie in memory");

// Thread-compatible. Appends to `out`, which must outlive it.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  void U8(uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void U16(uint16_t value) { Fixed(value); }
  void U32(uint32_t value) { Fixed(value); }
  void U64(uint64_t value) { Fixed(value); }

  void Varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) U8(static_cast<uint8_t>(value | 0x80));
    U8(static_cast<uint8_t>(value));
  }

  // Its length as a varint, then its bytes.
  void Text(std::string_view text) {
    Varint(text.size());
    out_.append(text);
  }

 private:
  template <typename T>
  void Fixed(T value) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    out_.append(bytes, sizeof(T));
  }

  std::string& out_;
};

// 0, -1, 1, -2 … as 0, 1, 2, 3 …: small magnitudes become small numbers (protobuf.dev, "Encoding").
constexpr uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
constexpr int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

}  // namespace spanloom::store::columnar
