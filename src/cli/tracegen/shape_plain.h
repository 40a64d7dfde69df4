// SPDX-License-Identifier: Apache-2.0
//
// Traces without inference: a web shop of three services and a database, in today's HTTP and database conventions. Six
// spans a trace, five where the order comes from a cache.

#pragma once

#include <string>
#include <vector>

#include "cli/tracegen/trace_shape.h"

namespace spanloom::cli::tracegen {

// Immutable and thread-safe.
class PlainShape final : public TraceShape {
 public:
  explicit PlainShape(uint64_t seed);

  void Generate(uint64_t index, int64_t end_unix_ns, GeneratedTrace& trace) const override;
};

}  // namespace spanloom::cli::tracegen
