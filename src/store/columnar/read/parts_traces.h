// SPDX-License-Identifier: Apache-2.0
//
// The traces of a columnar store, for those who follow it: whole, from heads and segments.

#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "store/columnar/parts/damage_counter.h"
#include "store/columnar/parts/parts_table.h"
#include "store/columnar/parts/trace_gatherer.h"
#include "store/head/trace_source.h"

namespace spanloom::store::columnar {

// Looks at the parts as they are at the first call; those that are damaged are counted. All that it is given must
// outlive it. Thread-compatible.
class PartsTraces final : public head::TraceSource {
 public:
  PartsTraces(const PartsTable& table, DamageCounter& damage) : table_(table), damage_(damage) {}

  StatusOr<std::shared_ptr<const void>> Read(const otlp::TraceId& id, scan::TraceReading& reading,
                                             scan::ReadMeter& meter) override;
  // A part that is damaged counts for nothing, nor do those behind it.
  StatusOr<size_t> CountSpans(const otlp::TraceId& id) override;

 private:
  const Parts& parts();
  // The head that has all of the trace, if one has.
  TraceHint HintOf(const otlp::TraceId& id);

  const PartsTable& table_;
  DamageCounter& damage_;
  std::optional<Parts> parts_;
  std::optional<TraceGatherer> gatherer_;  // of parts_
};

}  // namespace spanloom::store::columnar
