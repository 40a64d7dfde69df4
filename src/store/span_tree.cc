// SPDX-License-Identifier: Apache-2.0

#include "store/span_tree.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>

#include "base/check.h"

namespace spanloom::store {
namespace {

class Tree {
 public:
  explicit Tree(std::span<const SpanLink> spans) : spans_(spans), places_(spans.size()) {
    CHECK(spans.size() <= INT32_MAX / 2);  // numbers go up to twice as many
  }

  std::vector<SpanPlace> Place() && {
    FindParents();
    CutCycles();
    ListChildren();
    Number();
    return std::move(places_);
  }

 private:
  void FindParents() {
    absl::flat_hash_map<otlp::SpanId, uint32_t> by_id;  // the least ordinal of each id
    by_id.reserve(spans_.size());
    for (uint32_t i = 0; i < spans_.size(); ++i) {
      if (!spans_[i].id.IsZero()) by_id.emplace(spans_[i].id, i);
    }
    for (uint32_t i = 0; i < spans_.size(); ++i) {
      places_[i].ordinal = i;
      if (spans_[i].parent_id.IsZero()) continue;
      const auto parent = by_id.find(spans_[i].parent_id);
      if (parent != by_id.end()) {
        places_[i].parent_ordinal = parent->second;  // perhaps itself: a cycle of one
      } else {
        places_[i].is_orphan = true;
      }
    }
  }

  // Walks up from every span. A walk that meets itself has found a cycle; one that meets an earlier walk, or a root,
  // has not.
  void CutCycles() {
    std::vector<uint32_t> walks(spans_.size(), kNoOrdinal);  // the walk that came past, named by where it began
    for (uint32_t start = 0; start < spans_.size(); ++start) {
      uint32_t at = start;
      while (at != kNoOrdinal && walks[at] == kNoOrdinal) {
        walks[at] = start;
        at = places_[at].parent_ordinal;
      }
      if (at != kNoOrdinal && walks[at] == start) CutCycleAt(at);
    }
  }

  void CutCycleAt(uint32_t member) {
    uint32_t least = member;
    for (uint32_t at = places_[member].parent_ordinal; at != member; at = places_[at].parent_ordinal) {
      least = std::min(least, at);
    }
    places_[least].parent_ordinal = kNoOrdinal;
  }

  // Children of span i: the child_count of them before children_[child_end_[i]], by ordinal.
  void ListChildren() {
    for (const SpanPlace& place : places_) {
      if (place.parent_ordinal != kNoOrdinal) ++places_[place.parent_ordinal].child_count;
    }
    uint32_t first = 0;
    for (const SpanPlace& place : places_) {
      child_end_.push_back(first);
      first += place.child_count;
    }
    children_.resize(first);
    for (const SpanPlace& place : places_) {
      if (place.parent_ordinal != kNoOrdinal) children_[child_end_[place.parent_ordinal]++] = place.ordinal;
    }
  }

  void Number() {
    for (const SpanPlace& place : places_) children_left_.push_back(place.child_count);
    for (const SpanPlace& place : places_) {
      if (place.parent_ordinal == kNoOrdinal) NumberFrom(place.ordinal);
    }
  }

  // Back up goes by the parents, and children_left_ says where to go on: no stack.
  void NumberFrom(uint32_t root) {
    uint32_t at = root;
    Enter(at);
    while (at != kNoOrdinal) {
      if (children_left_[at] > 0) {
        at = children_[child_end_[at] - children_left_[at]--];
        Enter(at);
      } else {
        places_[at].right = ++number_;
        at = places_[at].parent_ordinal;
      }
    }
  }

  void Enter(uint32_t at) {
    places_[at].left = ++number_;
    const uint32_t parent = places_[at].parent_ordinal;
    if (parent != kNoOrdinal) places_[at].parent_left = places_[parent].left;
  }

  std::span<const SpanLink> spans_;
  std::vector<SpanPlace> places_;
  std::vector<uint32_t> child_end_;      // [spans], into children_
  std::vector<uint32_t> children_;       // ordinals, those of one parent together
  std::vector<uint32_t> children_left_;  // [spans], that have no numbers yet
  int32_t number_ = 0;                   // the last one given
};

}  // namespace

std::vector<SpanPlace> PlaceSpans(std::span<const SpanLink> spans) {
  return Tree(spans).Place();
}

}  // namespace spanloom::store
