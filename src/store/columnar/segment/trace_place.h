// SPDX-License-Identifier: Apache-2.0
//
// Where a trace stands in a segment, and what the trace table says of it.

#pragma once

#include <cstdint>
#include <cstring>

#include "otlp/ids.h"
#include "store/columnar/segment/trace_chunk.h"

namespace spanloom::store::columnar {

// A value.
struct TracePlace {
  uint64_t number = 0;  // of the trace, in the order of rows
  uint64_t first_row = 0;
  uint64_t first_pool = 0;  // its first pool entry
  TraceEntry entry;

  [[nodiscard]] uint64_t rows() const { return entry[TraceSlot::kRows]; }
  [[nodiscard]] uint64_t start_unix_ns() const { return entry[TraceSlot::kStart]; }
  [[nodiscard]] uint64_t last_start_unix_ns() const { return start_unix_ns() + entry[TraceSlot::kLastStart]; }
  [[nodiscard]] otlp::TraceId id() const {
    otlp::TraceId id;
    const uint64_t halves[] = {entry[TraceSlot::kIdLow], entry[TraceSlot::kIdHigh]};
    std::memcpy(id.bytes.data(), halves, sizeof(halves));
    return id;
  }
};

}  // namespace spanloom::store::columnar
