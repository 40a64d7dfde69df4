// SPDX-License-Identifier: Apache-2.0
//
// Reads what ByteWriter wrote, from bytes that need not be what was written.

#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace spanloom::store::columnar {

// Thread-compatible; borrows the bytes. After the first thing that is not there ok() is false, and everything reads as
// 0 or empty: a caller checks once, at the end, and before it trusts a count.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  uint8_t U8() { return Fixed<uint8_t>(); }
  uint16_t U16() { return Fixed<uint16_t>(); }
  uint32_t U32() { return Fixed<uint32_t>(); }
  uint64_t U64() { return Fixed<uint64_t>(); }

  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t byte = U8();
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return ok_ ? value : 0;
    }
    Fail();
    return 0;
  }

  // A count of things of which each takes at least one byte of what is left: never more than that.
  uint64_t Count() {
    const uint64_t count = Varint();
    if (count <= rest_.size()) return count;
    Fail();
    return 0;
  }

  // A varint that is to be below `end`.
  uint64_t Below(uint64_t end) {
    const uint64_t value = Varint();
    if (value < end) return value;
    Fail();
    return 0;
  }

  std::string_view Text() { return Bytes(Varint()); }

  std::string_view Bytes(uint64_t size) {
    if (size > rest_.size()) {
      Fail();
      return {};
    }
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool AtEnd() const { return ok_ && rest_.empty(); }
  [[nodiscard]] size_t size() const { return rest_.size(); }  // that are left
  void Fail() {
    ok_ = false;
    rest_ = {};
  }

 private:
  template <typename T>
  T Fixed() {
    T value = 0;
    if (rest_.size() < sizeof(T)) {
      Fail();
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_.remove_prefix(sizeof(T));
    return value;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace spanloom::store::columnar
