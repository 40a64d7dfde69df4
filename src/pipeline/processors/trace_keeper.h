// SPDX-License-Identifier: Apache-2.0
//
// What becomes of spans that are held by trace: the part of groupbytrace and tail_sampling that knows no loop, no timer
// and no answer. trace_holder.h gives it those.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "base/status.h"
#include "otlp/batch.h"
#include "otlp/detached.h"
#include "pipeline/drops.h"
#include "pipeline/processors/held_traces.h"

namespace spanloom::pipeline {

// Sequence-bound: its holder's loop. Times are steady, in nanoseconds.
class TraceKeeper {
 public:
  explicit TraceKeeper(std::chrono::nanoseconds wait_max, int64_t now_ns) : traces_(wait_max, now_ns) {}
  virtual ~TraceKeeper() = default;

  // Whether all of `traces` may come in: kUnavailable if they may be offered again. Nothing has changed then.
  virtual Status Admit([[maybe_unused]] std::span<const otlp::DetachedTrace> traces) { return absl::OkStatus(); }
  // The spans of one trace out of a batch.
  virtual void Take(otlp::DetachedTrace trace, int64_t now_ns) = 0;
  // Brings one of those that wait to its end.
  virtual void Settle(HeldTrace& trace, int64_t now_ns) = 0;
  // Told how long one round of settling took.
  virtual void OnRound([[maybe_unused]] int64_t duration_ns) {}
  // Whether those that still wait at a clean stop are settled, or given up.
  [[nodiscard]] virtual bool settles_at_stop() const { return true; }

  // Gives up all that waits; returns how many spans that were.
  uint64_t GiveUp();

  [[nodiscard]] HeldTraces& traces() { return traces_; }
  [[nodiscard]] const HeldTraces& traces() const { return traces_; }

 private:
  HeldTraces traces_;
};

// Where a keeper puts what it lets go. Lives longer than the keeper.
struct TraceOutlets {
  std::function<void(otlp::Slice)> release;
  // Spans that are lost although they were taken in.
  std::function<void(uint64_t spans, const Status& cause, std::string_view advice)> lose;
  std::function<void(uint64_t spans)> lose_as_too_large;
};

}  // namespace spanloom::pipeline
