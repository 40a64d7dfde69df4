// SPDX-License-Identifier: Apache-2.0
//
// Trace and span ids: fixed bytes, hexadecimal outside. W3C Trace Context, "trace-id" and "parent-id".

#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace spanloom::otlp {

// `kSize` bytes; all zero means "none".
template <size_t kSize>
struct Id {
  std::array<uint8_t, kSize> bytes{};

  // From raw bytes: kSize of them, or none at all (which OTLP allows for "no parent").
  static std::optional<Id> FromBytes(std::string_view raw) {
    Id id;
    if (raw.empty()) return id;
    if (raw.size() != kSize) return std::nullopt;
    std::memcpy(id.bytes.data(), raw.data(), kSize);
    return id;
  }

  [[nodiscard]] bool IsZero() const { return *this == Id{}; }
  [[nodiscard]] std::string_view view() const { return {reinterpret_cast<const char*>(bytes.data()), kSize}; }
  // Lower case, 2 * kSize digits.
  [[nodiscard]] std::string Hex() const;

  friend auto operator<=>(const Id&, const Id&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const Id& id) {
    return H::combine(std::move(state), id.bytes);
  }
};

using TraceId = Id<16>;
using SpanId = Id<8>;

extern template struct Id<16>;
extern template struct Id<8>;

// Hexadecimal of either case; up to 32 digits, shorter ones are left-padded with zeros as Jaeger does. nullopt if it is
// empty, too long or not hexadecimal.
std::optional<TraceId> ParseTraceId(std::string_view hex);
std::optional<SpanId> ParseSpanId(std::string_view hex);

}  // namespace spanloom::otlp
