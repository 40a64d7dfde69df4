// SPDX-License-Identifier: Apache-2.0
//
// Writes protobuf fields into a string. Nested messages are written in one pass: the length is patched in afterwards.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace spanloom::otlp::wire {

// Bytes that `value` takes as a varint: 1 to 10.
constexpr size_t VarintSize(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

// Thread-compatible. Appends to `out`, which must outlive it; a copy appends to the same string.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void Varint(uint32_t field, uint64_t value);
  void Fixed64(uint32_t field, uint64_t value);
  void Fixed32(uint32_t field, uint32_t value);
  void Double(uint32_t field, double value);
  void Bytes(uint32_t field, std::string_view value);

  // Numbers of a packed field, whose content is being written.
  void PackedVarint(uint64_t value);
  void PackedFixed64(uint64_t value);

  // Where the content of a nested message begins, and how many bytes in front of it are kept for its length.
  struct Mark {
    size_t begin = 0;
    size_t length_size = 0;
  };

  // Begins a nested message; End(mark) closes it. Marks are closed in reverse order. Keeps room for a length of
  // `length_size` bytes: 1 holds messages below 128 bytes, 2 below 16 KiB, 3 below 2 MiB. A message that turns out
  // otherwise is moved by the difference, so that no length is padded.
  [[nodiscard]] Mark Begin(uint32_t field, size_t length_size = 1);
  void End(Mark mark);

  // The same for a message whose size is known: its content, of exactly `size` bytes, is to be written next.
  void BeginSized(uint32_t field, size_t size);

  // Appends fields that are encoded already.
  void Raw(std::string_view fields) { out_.append(fields); }

  // Bytes in the string so far.
  [[nodiscard]] size_t size() const { return out_.size(); }

 private:
  std::string& out_;
};

}  // namespace spanloom::otlp::wire
