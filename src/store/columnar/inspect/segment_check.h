// SPDX-License-Identifier: Apache-2.0
//
// Reads a segment from its first byte of data to its last, and holds its parts against each other.

#pragma once

#include <absl/functional/function_ref.h>

#include <cstdint>

#include "base/status.h"
#include "store/columnar/segment/segment_reader.h"

namespace spanloom::store::columnar {

// Every block matches its checksum; every span can be put together and is of its trace; every trace is found by its id;
// its row in the trace table is what its spans add up to. Calls `on_spans` now and then with how many more were read;
// its error ends the check. Memory: some pages, and what a trace's largest 4,096 spans take. Errors: kDataLoss, naming
// what is wrong first; those of the disk.
[[nodiscard]] Status CheckSegment(const SegmentReader& reader, absl::FunctionRef<Status(uint64_t spans)> on_spans);

}  // namespace spanloom::store::columnar
