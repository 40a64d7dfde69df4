// SPDX-License-Identifier: Apache-2.0
//
// Tells the spans of one trace apart by what they are, wherever their bytes lie: no two that are stored have both the
// same bytes and the same origin.

#pragma once

#include <cstddef>

#include "store/head/incoming.h"
#include "store/span.h"

namespace spanloom::store::head {

// For hash tables of pointers to spans.
struct SpanContentHash {
  size_t operator()(const StoredSpan* span) const { return ContentHash(span->wire.view()); }
};
struct SpanContentEqual {
  bool operator()(const StoredSpan* a, const StoredSpan* b) const {
    return a->wire.view() == b->wire.view() && (a->origin == b->origin || AreEqual(*a->origin, *b->origin));
  }
};

}  // namespace spanloom::store::head
