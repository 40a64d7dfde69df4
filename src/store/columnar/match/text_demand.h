// SPDX-License-Identifier: Apache-2.0
//
// Which texts a segment must have for a predicate to hold of any of its rows. Where a rare value is asked for, that
// leaves few segments, before their columns are looked at.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/columnar/segment/segment_reader.h"
#include "store/predicate.h"

namespace spanloom::store::columnar {

// Of one predicate, for any number of segments. Thread-compatible.
class TextDemand {
 public:
  // `predicate` must be valid; it need not outlive this.
  explicit TextDemand(const Predicate& predicate) { Add(predicate); }

  // False: no row of the segment meets the predicate.
  [[nodiscard]] bool MayBeMetBy(const SegmentReader& reader) const;

 private:
  struct Text {
    std::string key;    // of an attribute
    uint64_t hash = 0;  // HashOf
  };

  void Add(const Predicate& predicate);
  void Add(const Condition& condition);

  std::vector<Text> texts_;  // all of which it takes
};

}  // namespace spanloom::store::columnar
