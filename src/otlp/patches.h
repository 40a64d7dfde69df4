// SPDX-License-Identifier: Apache-2.0
//
// What processors changed of a received request: whole messages and schema URLs that take the place of received ones.
// The request itself is never written to, so slices that share it in other pipelines do not see the changes.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace spanloom::otlp {

// New contents of resources, scopes and spans of one request, and new schema URLs of the former two, each found by its
// position: its number among all of its kind in the request, in order. Immutable once it is shared.
class Patches {
 public:
  enum class Level : uint8_t { kResource, kScope, kSpan, kResourceSchemaUrl, kScopeSchemaUrl };
  static constexpr size_t kLevels = 5;

  // A message, or the text of a schema URL, of `bytes`, which Add takes in.
  struct Patch {
    Level level = Level::kSpan;
    size_t position = 0;
    size_t begin = 0;
    size_t size = 0;
  };

  // What takes the place of the message or text there; nullopt if it is as received. Constant time.
  [[nodiscard]] std::optional<std::string_view> Find(Level level, size_t position) const {
    const Table& table = tables_[static_cast<size_t>(level)];
    if (position >= table.size() || table[position].data() == nullptr) return std::nullopt;
    return table[position];
  }

  // Adds patches whose messages lie in `bytes`; they replace earlier ones of the same message. Bytes of which nothing
  // is in use any more are let go.
  void Add(Bytes bytes, const std::vector<Patch>& patches);

  // Bytes that are held here.
  [[nodiscard]] size_t size_bytes() const;

 private:
  using Table = std::vector<std::string_view>;  // [positions, up to the last patch]; null where there is none

  [[nodiscard]] bool IsInUse(const Bytes& bytes) const;

  std::array<Table, kLevels> tables_;  // by Level
  std::vector<Bytes> bytes_;           // what the tables view; one for each edit that is still in use
};

}  // namespace spanloom::otlp
