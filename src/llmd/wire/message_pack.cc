// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/message_pack.h"

#include <bit>

namespace spanloom::llmd::wire {

void MessagePackWriter::Head(uint8_t code, uint64_t value, int bytes) {
  out_.push_back(static_cast<char>(code));
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out_.push_back(static_cast<char>(value >> shift));
}

void MessagePackWriter::Nil() {
  Head(0xc0, 0, 0);
}

void MessagePackWriter::Bool(bool value) {
  Head(value ? 0xc3 : 0xc2, 0, 0);
}

void MessagePackWriter::Uint(uint64_t value) {
  if (value < 0x80) return Head(static_cast<uint8_t>(value), 0, 0);
  if (value <= 0xff) return Head(0xcc, value, 1);
  if (value <= 0xffff) return Head(0xcd, value, 2);
  if (value <= 0xffffffff) return Head(0xce, value, 4);
  Head(0xcf, value, 8);
}

void MessagePackWriter::Double(double value) {
  Head(0xcb, std::bit_cast<uint64_t>(value), 8);
}

void MessagePackWriter::String(std::string_view text) {
  const size_t size = text.size();
  if (size < 32) {
    Head(static_cast<uint8_t>(0xa0 | size), 0, 0);
  } else if (size <= 0xff) {
    Head(0xd9, size, 1);
  } else if (size <= 0xffff) {
    Head(0xda, size, 2);
  } else {
    Head(0xdb, size, 4);
  }
  out_.append(text);
}

void MessagePackWriter::Binary(std::string_view bytes) {
  const size_t size = bytes.size();
  if (size <= 0xff) {
    Head(0xc4, size, 1);
  } else if (size <= 0xffff) {
    Head(0xc5, size, 2);
  } else {
    Head(0xc6, size, 4);
  }
  out_.append(bytes);
}

void MessagePackWriter::BeginArray(size_t items) {
  if (items < 16) return Head(static_cast<uint8_t>(0x90 | items), 0, 0);
  if (items <= 0xffff) return Head(0xdc, items, 2);
  Head(0xdd, items, 4);
}

void MessagePackWriter::BeginMap(size_t pairs) {
  if (pairs < 16) return Head(static_cast<uint8_t>(0x80 | pairs), 0, 0);
  if (pairs <= 0xffff) return Head(0xde, pairs, 2);
  Head(0xdf, pairs, 4);
}

}  // namespace spanloom::llmd::wire
