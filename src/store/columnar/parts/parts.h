// SPDX-License-Identifier: Apache-2.0
//
// Where the spans of a store are at one moment: in segments, and in one or two heads. A trace may lie in several parts.

#pragma once

#include <memory>

#include "store/columnar/parts/segment_list.h"
#include "store/head/trace_table.h"

namespace spanloom::store::columnar {

// Lives as long as someone reads parts that are as old as this one.
struct PartsAge {};

// A value; what it points to is shared with the store and other questions. Spans of one trace arrived in the order:
// segments as they stand, `full`, `filling`.
struct Parts {
  SegmentList segments;
  std::shared_ptr<head::LockedTable> full;     // is being written to a segment; null if none is
  std::shared_ptr<head::LockedTable> filling;  // never null
  std::shared_ptr<const PartsAge> age;         // never null; shared by all that read parts of this age
};

}  // namespace spanloom::store::columnar
