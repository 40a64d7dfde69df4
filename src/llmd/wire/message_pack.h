// SPDX-License-Identifier: Apache-2.0
//
// Writes MessagePack (github.com/msgpack/msgpack, spec.md), each value in its shortest form.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace spanloom::llmd::wire {

// Thread-compatible. The caller writes as many values into a list or map as it said there would be.
class MessagePackWriter {
 public:
  // Appends to `out`, which must outlive the writer.
  explicit MessagePackWriter(std::string& out) : out_(out) {}

  void Nil();
  void Bool(bool value);
  void Uint(uint64_t value);
  void Double(double value);
  void String(std::string_view text);
  void Binary(std::string_view bytes);
  void BeginArray(size_t items);
  void BeginMap(size_t pairs);

 private:
  void Head(uint8_t code, uint64_t value, int bytes);

  std::string& out_;
};

}  // namespace spanloom::llmd::wire
