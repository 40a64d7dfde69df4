// SPDX-License-Identifier: Apache-2.0
//
// Where each span stands in its trace: its parent, and the bounds by which "is an ancestor of" is two comparisons.
// Nested sets: Celko, "Trees and Hierarchies in SQL"; the numbering is TraceQL's (nestedSetLeft, nestedSetRight,
// nestedSetParent).

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "otlp/ids.h"

namespace spanloom::store {

inline constexpr uint32_t kNoOrdinal = 0xffff'ffff;

// Place of one span. Ordinals count the spans of the whole trace from 0, by start, then arrival.
//
// Numbers are given by walking the trees of the trace depth first, roots and children in order of their ordinals; each
// span takes a number when it is entered (left) and when it is left (right), from 1. `a` is an ancestor of `b` if
// a.left < b.left and b.right < a.right.
//
// Roots are the spans without parent id and those whose parent is not stored. A span whose chain of parents leads back
// to itself is cut off from its parent at the span of the chain with the least ordinal, which becomes a root. If
// several spans share an id, children belong to the one with the least ordinal, never to themselves.
struct SpanPlace {
  uint32_t ordinal = 0;
  uint32_t parent_ordinal = kNoOrdinal;  // kNoOrdinal for roots
  int32_t left = 0;
  int32_t right = 0;
  int32_t parent_left = -1;  // nestedSetParent: left of the parent; -1 for roots (TraceQL's rule)
  uint32_t child_count = 0;
  bool is_orphan = false;  // it has a parent id, and no such span is stored

  friend bool operator==(const SpanPlace&, const SpanPlace&) = default;
};

// The ids that make a tree.
struct SpanLink {
  otlp::SpanId id;
  otlp::SpanId parent_id;
};

// Places of all spans of one trace, in the order of `spans` (by start, then arrival). O(spans); depth is not limited by
// the stack.
[[nodiscard]] std::vector<SpanPlace> PlaceSpans(std::span<const SpanLink> spans);

}  // namespace spanloom::store
