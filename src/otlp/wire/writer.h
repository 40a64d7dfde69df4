// SPDX-License-Identifier: Apache-2.0
//
// Writes protobuf fields into a string. Nested messages are written in one pass: the length is patched in afterwards.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace spanloom::otlp::wire {

// Thread-compatible. Appends to `out`, which must outlive it.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void Varint(uint32_t field, uint64_t value);
  void Fixed64(uint32_t field, uint64_t value);
  void Fixed32(uint32_t field, uint32_t value);
  void Double(uint32_t field, double value);
  void Bytes(uint32_t field, std::string_view value);

  // Begins a nested message; End(mark) closes it. Marks are closed in reverse order.
  using Mark = size_t;
  [[nodiscard]] Mark Begin(uint32_t field);
  void End(Mark mark);

  // Appends fields that are encoded already.
  void Raw(std::string_view fields) { out_.append(fields); }

 private:
  std::string& out_;
};

}  // namespace spanloom::otlp::wire
