// SPDX-License-Identifier: Apache-2.0

#include "otlp/wire/cursor.h"

#include <array>

namespace spanloom::otlp::wire {
namespace {

constexpr size_t kGroupDepthMax = 32;  // guess; no sender of OTLP writes groups at all

}  // namespace

bool Cursor::Fail() {
  next_ = field_begin_;
  ok_ = false;
  return false;
}

// Like protobuf's own parsers, it ignores what the tenth byte has beyond 64 bits.
bool Cursor::ReadLongVarint(uint64_t& value, int size_max) {
  value = 0;
  for (int shift = 0; shift < 7 * size_max && next_ != end_; shift += 7) {
    const auto byte = static_cast<uint8_t>(*next_++);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool Cursor::SkipGroup() {
  std::array<uint32_t, kGroupDepthMax> open;  // field numbers of the groups that we are in, outermost first
  size_t depth = 0;
  const uint32_t field = field_;
  open[depth++] = field;
  while (depth > 0) {
    if (!ReadTag()) return false;
    if (type_ == Type::kGroupStart) {
      if (depth == kGroupDepthMax) return false;
      open[depth++] = field_;
    } else if (type_ == Type::kGroupEnd) {
      if (open[--depth] != field_) return false;
    } else if (!ReadValue()) {
      return false;
    }
  }
  field_ = field;
  type_ = Type::kGroupStart;
  return true;
}

bool PackedVarints::Next() {
  value_ = 0;
  for (size_t i = 0; i < rest_.size() && i < kVarintSizeMax; ++i) {
    const auto byte = static_cast<uint8_t>(rest_[i]);
    value_ |= static_cast<uint64_t>(byte & 0x7f) << 7 * i;
    if (byte >= 0x80) continue;
    rest_.remove_prefix(i + 1);
    return true;
  }
  return false;
}

}  // namespace spanloom::otlp::wire
