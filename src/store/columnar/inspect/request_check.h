// SPDX-License-Identifier: Apache-2.0
//
// Reads the request rows of a segment from the first to the last, and holds them against the segment.

#pragma once

#include "base/status.h"
#include "store/columnar/requests/request_file.h"
#include "store/columnar/segment/segment_reader.h"

namespace spanloom::store::columnar {

// Every chunk matches its checksum and says what can be; every request's span is one of its trace. Not proved: that the
// anatomy says the same of the spans. Errors: kDataLoss, naming what is wrong first; those of the disk.
[[nodiscard]] Status CheckRequests(const SegmentReader& segment, const RequestFile& requests);

}  // namespace spanloom::store::columnar
