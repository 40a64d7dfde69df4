// SPDX-License-Identifier: Apache-2.0
//
// A span that has nothing but its origin, to ask what an origin has of a field.

#pragma once

#include <memory>

#include "base/clock.h"
#include "store/scan/read_meter.h"
#include "store/scan/trace_reading.h"
#include "store/span.h"

namespace spanloom::store::columnar {

// Thread-compatible.
class OriginReading {
 public:
  explicit OriginReading(std::shared_ptr<const SpanOrigin> origin) : span_{.wire = {}, .origin = std::move(origin)} {
    scan::ReadMeter unlimited({}, Clock::System());
    reading_.Begin(otlp::TraceId());
    reading_.Add(span_, unlimited).IgnoreError();
    reading_.Sort();
  }
  OriginReading(const OriginReading&) = delete;
  OriginReading& operator=(const OriginReading&) = delete;

  // With the one span, ordinal 0.
  [[nodiscard]] scan::TraceReading& reading() { return reading_; }

 private:
  const StoredSpan span_;
  scan::TraceReading reading_;
};

}  // namespace spanloom::store::columnar
