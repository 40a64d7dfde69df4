// SPDX-License-Identifier: Apache-2.0
//
// Makes the batches of an answer from the traces that a scan has selected.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/status.h"
#include "store/fetch.h"
#include "store/scan/read_meter.h"
#include "store/scan/text_arena.h"
#include "store/scan/trace_reading.h"
#include "store/scan/trace_selector.h"

namespace spanloom::store::scan {

// Thread-compatible. `plan` must outlive it.
class BatchBuilder {
 public:
  static constexpr size_t kRows = 4'096;  // a batch with so many is handed out; guess

  explicit BatchBuilder(const FetchPlan& plan) : plan_(plan) {}

  // Takes the rows of a selected trace. `pin` keeps alive what its cells and messages view. Returns a batch when one is
  // full. Errors: kResourceExhausted, if the trace alone exceeds plan.limits.bytes_max; the meter's.
  StatusOr<std::optional<SpanBatch>> Add(TraceReading& trace, const FetchPosition& position, TraceSelector& selector,
                                         std::shared_ptr<const void> pin, ReadMeter& meter);

  // The rows that are left; nullopt if there are none.
  [[nodiscard]] std::optional<SpanBatch> Finish();

  // Starts a trace, to which rows are then added one by one: for answers that do not come trace by trace.
  void BeginTrace(const FetchPosition& position, uint32_t span_count);
  void AddRow(TraceReading& trace, size_t ordinal, uint64_t matches);
  void Pin(std::shared_ptr<const void> pin) { batch_.pins.push_back(std::move(pin)); }
  // What the rows take, as limits.bytes_max counts them: cells, places, and messages with their bytes.
  [[nodiscard]] size_t bytes() const;
  [[nodiscard]] size_t rows() const { return batch_.rows(); }

 private:
  Status Build(TraceReading& trace, const FetchPosition& position, TraceSelector& selector, ReadMeter& meter);
  void Append(BatchBuilder&& later);
  [[nodiscard]] Status TooLarge(const otlp::TraceId& id) const;

  const FetchPlan& plan_;
  SpanBatch batch_;
  std::shared_ptr<TextArena> texts_;  // shared with the batch
  size_t row_bytes_ = 0;
};

}  // namespace spanloom::store::scan
