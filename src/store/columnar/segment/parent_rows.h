// SPDX-License-Identifier: Apache-2.0
//
// Finds the row of each span's parent, within the rows of a trace.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "store/span_tree.h"

namespace spanloom::store::columnar {

// [spans]: the row of each less that of the first other row whose id is its parent's; 0 where there is none. O(spans).
[[nodiscard]] std::vector<int64_t> ParentRows(std::span<const SpanLink> spans);

}  // namespace spanloom::store::columnar
