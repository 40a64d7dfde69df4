// SPDX-License-Identifier: Apache-2.0
//
// A short cut for the form in which nearly every sender writes nearly every attribute. Attributes are most of a span,
// so what it costs to check and read one decides what a span costs (otlp_bench.cc). Whatever has another form is read
// field by field.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "otlp/fields.h"
#include "otlp/wire/cursor.h"

namespace spanloom::otlp {

// The one byte in which a field below 16 says its number and type.
constexpr uint8_t TagByte(uint32_t field, wire::Type type) {
  return static_cast<uint8_t>(field << 3 | static_cast<uint32_t>(type));
}

// A KeyValue of exactly a key and a value, in this order, both below 128 bytes.
struct PlainAttribute {
  std::string_view key;
  std::string_view value;  // AnyValue

  // False if `attribute` has another form; it may be valid nevertheless.
  [[nodiscard]] bool Read(std::string_view attribute);
};

// True if `value` is an AnyValue of exactly one scalar, below 128 bytes, or none. It may be valid nevertheless.
[[nodiscard]] bool IsPlainValue(std::string_view value);

inline bool PlainAttribute::Read(std::string_view attribute) {
  constexpr size_t kHeadSize = 2;  // tag and length
  const auto at = [attribute](size_t i) { return static_cast<uint8_t>(attribute[i]); };
  if (attribute.size() < 2 * kHeadSize) return false;
  const size_t key_size = at(1);
  const size_t value_head = kHeadSize + key_size;
  const size_t value_begin = value_head + kHeadSize;
  if (at(0) != TagByte(field::KeyValue::kKey, wire::Type::kBytes) || key_size >= 0x80) return false;
  if (value_begin > attribute.size()) return false;
  const size_t value_size = at(value_head + 1);
  if (at(value_head) != TagByte(field::KeyValue::kValue, wire::Type::kBytes) || value_size >= 0x80) return false;
  if (value_begin + value_size != attribute.size()) return false;
  key = {attribute.data() + kHeadSize, key_size};
  value = {attribute.data() + value_begin, value_size};
  return true;
}

inline bool IsPlainValue(std::string_view value) {
  if (value.empty()) return true;
  switch (static_cast<uint8_t>(value[0])) {
    case TagByte(field::Value::kString, wire::Type::kBytes):
    case TagByte(field::Value::kBytes, wire::Type::kBytes):
      return value.size() >= 2 && value.size() < 0x80 && static_cast<uint8_t>(value[1]) == value.size() - 2;
    case TagByte(field::Value::kDouble, wire::Type::kFixed64):
      return value.size() == 1 + sizeof(double);
    case TagByte(field::Value::kBool, wire::Type::kVarint):
    case TagByte(field::Value::kInt, wire::Type::kVarint): {
      size_t at = 1;
      while (at < value.size() && static_cast<uint8_t>(value[at]) >= 0x80) ++at;
      return at + 1 == value.size() && at <= static_cast<size_t>(wire::kVarintSizeMax);
    }
    default:
      return false;
  }
}

}  // namespace spanloom::otlp
