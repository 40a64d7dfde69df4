// SPDX-License-Identifier: Apache-2.0
//
// Which traces of segments that were opened lie in several of them.

#pragma once

#include "store/columnar/parts/parts_table.h"

namespace spanloom::store::columnar {

// Notes them in the table's SplitTraces. To be called once, when all segments were added and before a head is filled.
// O(traces log traces);
// reads only the ids of traces that share their first bytes. What can't be read is left out.
void FindSplitTraces(PartsTable& table);

}  // namespace spanloom::store::columnar
