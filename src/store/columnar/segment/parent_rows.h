// SPDX-License-Identifier: Apache-2.0
//
// Finds the row of each span's parent, within the rows of a trace.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "store/span_tree.h"

namespace spanloom::store::columnar {

// Fills `parents`, [spans]: the row of each less that of the first other row whose id is its parent's; 0 where there is
// none. O(spans).
void ParentRows(std::span<const SpanLink> spans, std::vector<int64_t>& parents);

}  // namespace spanloom::store::columnar
