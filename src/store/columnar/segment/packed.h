// SPDX-License-Identifier: Apache-2.0
//
// Slices of packed integers: frame of reference with one bit width, so that value i is read without reading the others,
// and the descriptor bounds the values. Format: docs/formats/segment.md, "Packed integers".

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace spanloom::store::columnar {

// What is needed to read a slice beyond its payload: value[i] = base + scale * bits[i].
struct PackedSlice {
  uint64_t base = 0;
  uint64_t scale = 1;  // 1'000, 1'000'000 or a power of two
  uint8_t width = 0;   // bits a value, [0, 64]

  // No value is above it. Only a bound: the largest that the width can say, at most 2^64 - 1.
  [[nodiscard]] uint64_t max() const;
  [[nodiscard]] bool is_constant() const { return width == 0; }

  friend bool operator==(const PackedSlice&, const PackedSlice&) = default;
};

// Payload bytes of `count` values of `width` bits.
constexpr size_t PackedBytes(size_t count, uint8_t width) {
  return (count * width + 7) / 8;
}

// How many bytes behind its end a payload must be readable: values are read 8 bytes at a time.
inline constexpr size_t kPackedSlackBytes = 16;

// Appends the payload of `values` to `out`.
PackedSlice Pack(std::span<const uint64_t> values, std::string& out);

// values[0, count) = slice[begin, begin + count). `payload` holds that many values, and kPackedSlackBytes more bytes
// may be read. About 1 ns a value.
void Unpack(const PackedSlice& slice, const char* payload, size_t begin, size_t count, uint64_t* values);

// slice[index].
[[nodiscard]] uint64_t UnpackOne(const PackedSlice& slice, const char* payload, size_t index);

}  // namespace spanloom::store::columnar
