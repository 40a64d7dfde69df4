// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/packed.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

namespace spanloom::store::columnar {
namespace {

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
constexpr uint8_t kNarrowBits = 56;  // a value of so many bits lies within 8 bytes, wherever it begins

uint64_t Mask(uint8_t width) {
  return width == 64 ? kMax : (uint64_t{1} << width) - 1;
}

uint64_t Load(const char* bytes) {
  uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}

// Of width [1, 64].
uint64_t BitsAt(const char* payload, size_t bit, uint8_t width) {
  const char* const bytes = payload + bit / 8;
  const unsigned shift = bit % 8;
  uint64_t bits = Load(bytes) >> shift;
  if (width > kNarrowBits && shift > 0) bits |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[8])) << (64 - shift);
  return bits & Mask(width);
}

bool DividesAll(std::span<const uint64_t> values, uint64_t base, uint64_t scale) {
  return std::ranges::all_of(values, [&](uint64_t value) { return (value - base) % scale == 0; });
}

// `power`: the largest power of two that divides all differences.
uint64_t ScaleOf(std::span<const uint64_t> values, uint64_t base, uint64_t range, uint64_t power) {
  for (const uint64_t scale : {1'000'000, 1'000}) {
    if (power >= scale) return power;
    // What 1,000 divides, 8 does; what 1,000,000 divides, 64 does.
    if (range >= scale && power >= 8 && DividesAll(values, base, scale)) return scale;
  }
  return power;
}

// `bits_of` says what is kept of a value. Room for 8 bytes more than the payload.
template <typename BitsOf>
void WriteBits(std::span<const uint64_t> values, uint8_t width, BitsOf bits_of, char* out) {
  uint64_t word = 0;
  unsigned filled = 0;  // bits of it, below 64
  for (const uint64_t value : values) {
    const uint64_t bits = bits_of(value);
    word |= bits << filled;
    filled += width;
    if (filled < 64) continue;
    std::memcpy(out, &word, sizeof(word));
    out += sizeof(word);
    filled -= 64;
    word = filled == 0 ? 0 : bits >> (width - filled);
  }
  std::memcpy(out, &word, sizeof(word));
}

void PackBits(std::span<const uint64_t> values, const PackedSlice& slice, std::string& out) {
  const size_t begin = out.size();
  const size_t bytes = PackedBytes(values.size(), slice.width);
  out.resize(begin + bytes + sizeof(uint64_t));
  char* const payload = out.data() + begin;
  const uint64_t base = slice.base;
  if (std::has_single_bit(slice.scale)) {
    const int shift = std::countr_zero(slice.scale);
    WriteBits(
        values, slice.width, [base, shift](uint64_t value) { return (value - base) >> shift; }, payload);
  } else {
    const uint64_t scale = slice.scale;
    WriteBits(
        values, slice.width, [base, scale](uint64_t value) { return (value - base) / scale; }, payload);
  }
  out.resize(begin + bytes);
}

}  // namespace

uint64_t PackedSlice::max() const {
  const unsigned __int128 most = static_cast<unsigned __int128>(Mask(width)) * scale + base;
  return width == 0 ? base : static_cast<uint64_t>(std::min<unsigned __int128>(most, kMax));
}

PackedSlice Pack(std::span<const uint64_t> values, std::string& out) {
  PackedSlice slice;
  if (values.empty()) return slice;
  uint64_t least = values[0];
  uint64_t most = values[0];
  uint64_t unlike = 0;  // where bits of values differ
  for (const uint64_t value : values) {
    least = std::min(least, value);
    most = std::max(most, value);
    unlike |= value ^ values[0];
  }
  slice.base = least;
  if (least == most) return slice;
  slice.scale = ScaleOf(values, least, most - least, unlike & -unlike);
  slice.width = static_cast<uint8_t>(std::bit_width((most - least) / slice.scale));
  PackBits(values, slice, out);
  return slice;
}

void Unpack(const PackedSlice& slice, const char* payload, size_t begin, size_t count, uint64_t* values) {
  if (slice.width == 0) {
    std::fill_n(values, count, slice.base);
    return;
  }
  size_t bit = begin * slice.width;
  if (slice.width > kNarrowBits) {
    for (size_t i = 0; i < count; ++i, bit += slice.width) {
      values[i] = slice.base + slice.scale * BitsAt(payload, bit, slice.width);
    }
    return;
  }
  const uint64_t mask = Mask(slice.width);
  for (size_t i = 0; i < count; ++i, bit += slice.width) {
    values[i] = slice.base + slice.scale * ((Load(payload + bit / 8) >> (bit % 8)) & mask);
  }
}

uint64_t UnpackOne(const PackedSlice& slice, const char* payload, size_t index) {
  if (slice.width == 0) return slice.base;
  return slice.base + slice.scale * BitsAt(payload, index * slice.width, slice.width);
}

}  // namespace spanloom::store::columnar
