// SPDX-License-Identifier: Apache-2.0
//
// Which rows of a segment meet a predicate, by its columns: no message is put together. Where columns do not say, the
// answer is "perhaps", and the predicate's one definition (scan/predicate_matcher.h) decides on the messages.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "store/columnar/match/condition_columns.h"
#include "store/columnar/match/page_columns.h"
#include "store/columnar/match/row_set.h"
#include "store/columnar/segment/segment_reader.h"
#include "store/predicate.h"

namespace spanloom::store::columnar {

// One segment, one predicate. Thread-compatible. The reader must outlive it. Errors of all calls: kDataLoss, those of
// the disk.
class SegmentMatcher {
 public:
  // `predicate` must be valid.
  SegmentMatcher(const Predicate& predicate, const SegmentReader& reader);

  // False: no row of the segment meets it.
  StatusOr<bool> MayMatch() { return MayMatch(root_); }

  // The rows of a page that meet it, whenever they start.
  StatusOr<RowSet> Match(PageColumns& page);

  // The same for one group of spans, in the order of the group.
  StatusOr<RowSet> MatchGroup(PageColumns& page, uint32_t group) { return Match(root_, page, group); }

 private:
  struct Node {
    Predicate::Kind kind = Predicate::Kind::kEverything;
    std::vector<Node> parts = {};
    std::unique_ptr<ConditionColumns> condition = nullptr;  // of a condition
  };

  static Node Compile(const Predicate& predicate, const SegmentReader& reader);
  StatusOr<bool> MayMatch(Node& node);
  StatusOr<RowSet> Match(Node& node, PageColumns& page, uint32_t group);
  StatusOr<RowSet> MatchParts(Node& node, PageColumns& page, uint32_t group);

  Node root_;
};

}  // namespace spanloom::store::columnar
