// SPDX-License-Identifier: Apache-2.0
//
// Makes a map entry by entry. What senders wrote may have very many keys, so each is looked up by its hash.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "ottl/value.h"

namespace spanloom::ottl {

// Thread-compatible. Borrows the keys.
class MapBuilder {
 public:
  // The entry called `key`, in its place if there is one already.
  void Set(std::string_view key, const Value& value) {
    const auto [place, is_new] = places_.try_emplace(AbslView(key), entries_.size());
    if (is_new) {
      entries_.push_back({key, value});
    } else {
      entries_[place->second].value = value;
    }
  }
  [[nodiscard]] bool Has(std::string_view key) const { return places_.contains(AbslView(key)); }
  // In the order in which the keys came.
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
  absl::flat_hash_map<absl::string_view, size_t> places_;
};

}  // namespace spanloom::ottl
