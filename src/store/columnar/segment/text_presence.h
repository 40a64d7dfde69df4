// SPDX-License-Identifier: Apache-2.0
//
// What a segment may have of a text that does not stand in the pool: in dictionaries, and in resources and scopes.
// With the text index it says of most segments that they have nothing to do with a rare value, before their columns are
// looked at.

#pragma once

#include <absl/container/flat_hash_set.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "store/columnar/segment/hash_filter.h"
#include "store/columnar/segment/segment_index.h"

namespace spanloom::store::columnar {

// Immutable. 12 bits for each text of a dictionary.
class TextPresence {
 public:
  explicit TextPresence(const SegmentIndex& index);

  // `hash`: HashOf the text. False: no attribute `key` of a span, event, link, resource or scope is the text, as a
  // string or as bytes, or as an element of an array, unless the pool has it.
  [[nodiscard]] bool MayHave(std::string_view key, uint64_t hash) const {
    return has_raw_ || nested_.contains(AbslView(key)) || texts_.MayHave(hash);
  }

 private:
  void AddOrigin(const SpanOrigin& origin, std::vector<uint64_t>& hashes);

  bool has_raw_ = false;                     // messages that were not taken apart
  absl::flat_hash_set<std::string> nested_;  // keys that have arrays or maps
  HashFilter texts_;
};

}  // namespace spanloom::store::columnar
