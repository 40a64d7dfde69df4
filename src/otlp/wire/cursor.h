// SPDX-License-Identifier: Apache-2.0
//
// A cursor over the fields of one protobuf message, in place and without allocation. The inner loop of everything that
// reads OTLP. Wire format: protobuf.dev, "Encoding".

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace spanloom::otlp::wire {

static_assert(std::endian::native == std::endian::little, "fixed-width fields are copied as they lie on the wire");

inline constexpr int kVarintSizeMax = 10;      // bytes of a 64-bit varint
inline constexpr int kShortVarintSizeMax = 5;  // bytes of a tag or a length, padding included; as in libprotobuf

enum class Type : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kGroupStart = 3, kGroupEnd = 4, kFixed32 = 5 };

// Thread-compatible; borrows the message. After Next() returned true, field(), type() and the value of that type are
// valid. After it returned false, ok() tells the end of the message from malformed bytes; the cursor then stays where
// it is.
class Cursor {
 public:
  Cursor() = default;
  explicit Cursor(std::string_view message)
      : begin_(message.data()), next_(message.data()), end_(message.data() + message.size()) {}

  // Steps to the next field. Groups are skipped whole (deprecated since proto2; nested at most 32 deep), reported as
  // kGroupStart.
  bool Next();

  // A short cut for a field that mostly follows itself, as attributes do: steps past the next field if `tag` is its
  // tag, one byte, and it has fewer than 128 bytes. Else false, and nothing happens. Of field(), type() and bytes()
  // only the last says what it is.
  bool NextShortBytes(uint8_t tag);

  [[nodiscard]] bool ok() const { return ok_; }
  // Where the cursor stopped: bytes from the start of the message to the field that could not be read.
  [[nodiscard]] size_t offset() const { return static_cast<size_t>(field_begin_ - begin_); }

  [[nodiscard]] uint32_t field() const { return field_; }
  [[nodiscard]] Type type() const { return type_; }
  [[nodiscard]] uint64_t scalar() const { return scalar_; }        // kVarint, kFixed64, kFixed32
  [[nodiscard]] std::string_view bytes() const { return bytes_; }  // kBytes
  // The whole field: tag, length and value.
  [[nodiscard]] std::string_view raw() const { return {field_begin_, static_cast<size_t>(next_ - field_begin_)}; }

 private:
  bool Fail();
  // Each steps past what it reads; false if it is malformed or cut short.
  bool ReadVarint(uint64_t& value);
  bool ReadLongVarint(uint64_t& value, int size_max);
  bool ReadShortVarint(uint64_t& value);  // of a tag or a length
  bool ReadTag();
  bool ReadValue();
  bool ReadBytes();
  bool ReadFixed(size_t size);
  bool SkipGroup();

  const char* begin_ = nullptr;
  const char* field_begin_ = nullptr;
  const char* next_ = nullptr;
  const char* end_ = nullptr;
  std::string_view bytes_;
  uint64_t scalar_ = 0;
  uint32_t field_ = 0;
  Type type_ = Type::kVarint;
  bool ok_ = true;
};

// The numbers of a packed field of varints, up to the end or a malformed one. Thread-compatible; borrows the bytes.
class PackedVarints {
 public:
  explicit PackedVarints(std::string_view numbers) : rest_(numbers) {}
  bool Next();
  [[nodiscard]] uint64_t value() const { return value_; }

 private:
  std::string_view rest_;
  uint64_t value_ = 0;
};

// Inline, since every read of a span is a loop over this.
inline bool Cursor::Next() {
  field_begin_ = next_;
  if (next_ == end_) return false;
  if (!ReadTag() || !ReadValue()) [[unlikely]]
    return Fail();
  return true;
}

inline bool Cursor::NextShortBytes(uint8_t tag) {
  constexpr std::ptrdiff_t kHeadSize = 2;  // tag and length
  if (end_ - next_ < kHeadSize || static_cast<uint8_t>(*next_) != tag) return false;
  const auto size = static_cast<uint8_t>(next_[1]);
  if (size >= 0x80 || end_ - next_ - kHeadSize < size) return false;
  field_begin_ = next_;
  bytes_ = {next_ + kHeadSize, size};
  next_ += kHeadSize + size;
  return true;
}

inline bool Cursor::ReadVarint(uint64_t& value) {
  if (next_ != end_ && static_cast<uint8_t>(*next_) < 0x80) [[likely]] {
    value = static_cast<uint8_t>(*next_++);
    return true;
  }
  return ReadLongVarint(value, kVarintSizeMax);
}

inline bool Cursor::ReadShortVarint(uint64_t& value) {
  if (next_ != end_ && static_cast<uint8_t>(*next_) < 0x80) [[likely]] {
    value = static_cast<uint8_t>(*next_++);
    return true;
  }
  return ReadLongVarint(value, kShortVarintSizeMax);
}

inline bool Cursor::ReadTag() {
  uint64_t tag = 0;
  if (!ReadShortVarint(tag) || tag > UINT32_MAX) return false;
  field_ = static_cast<uint32_t>(tag >> 3);
  type_ = static_cast<Type>(tag & 7);
  return field_ != 0;
}

inline bool Cursor::ReadValue() {
  if (type_ == Type::kBytes) [[likely]]
    return ReadBytes();
  if (type_ == Type::kVarint) return ReadVarint(scalar_);
  if (type_ == Type::kFixed64) return ReadFixed(sizeof(uint64_t));
  if (type_ == Type::kFixed32) return ReadFixed(sizeof(uint32_t));
  return type_ == Type::kGroupStart && SkipGroup();  // no group is open that could end; 6 and 7 are no wire types
}

inline bool Cursor::ReadBytes() {
  uint64_t size = 0;
  if (!ReadShortVarint(size) || size > static_cast<uint64_t>(end_ - next_)) return false;
  bytes_ = {next_, static_cast<size_t>(size)};
  next_ += size;
  return true;
}

inline bool Cursor::ReadFixed(size_t size) {
  if (static_cast<size_t>(end_ - next_) < size) return false;
  scalar_ = 0;
  std::memcpy(&scalar_, next_, size);
  next_ += size;
  return true;
}

}  // namespace spanloom::otlp::wire
