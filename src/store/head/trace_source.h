// SPDX-License-Identifier: Apache-2.0
//
// Where the traces of recent spans are found: what Tail() and a purge need to know of a store, however it keeps them.

#pragma once

#include <cstddef>
#include <memory>

#include "base/status.h"
#include "otlp/ids.h"
#include "store/scan/read_meter.h"
#include "store/scan/trace_reading.h"

namespace spanloom::store::head {

// What it says of a trace is as the store was at the first call, or later. Thread-compatible.
class TraceSource {
 public:
  virtual ~TraceSource() = default;

  // Reads the whole trace; `reading` has no spans if there is none. What it borrows lives as long as what is returned
  // (shared with the store and with answers). Null if the trace can't be read, and is to be left out. Errors: the
  // meter's, those of the disk; kResourceExhausted, if it exceeds the meter's limits.
  virtual StatusOr<std::shared_ptr<const void>> Read(const otlp::TraceId& id, scan::TraceReading& reading,
                                                     scan::ReadMeter& meter) = 0;

  // How many spans the trace has. Errors: those of the disk.
  virtual StatusOr<size_t> CountSpans(const otlp::TraceId& id) = 0;
};

}  // namespace spanloom::store::head
