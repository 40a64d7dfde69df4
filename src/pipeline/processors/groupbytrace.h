// SPDX-License-Identifier: Apache-2.0
//
// The groupbytrace processor: holds the spans of each trace for some time after the first, then passes them on
// together.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "config/options.h"
#include "pipeline/processors/trace_holder.h"
#include "pipeline/processors/trace_keeper.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

struct GroupByTraceOptions {
  std::chrono::nanoseconds wait_duration = std::chrono::seconds(1);
  int64_t num_traces = 1'000'000;
  int64_t num_workers = 1;
  bool discard_orphans = false;
  bool store_on_disk = false;
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

// Lets each trace go when its time has come. When there are num_traces, the oldest gives way to a new one: its spans
// are lost, as in the Collector, and counted as ResourceExhausted.
class TraceGrouper final : public TraceKeeper {
 public:
  TraceGrouper(const GroupByTraceOptions& options, const BuildContext& context, TraceOutlets outlets);

  void Take(otlp::DetachedTrace trace, int64_t now_ns) override;
  void Settle(HeldTrace& trace, int64_t now_ns) override;

 private:
  void Evict(HeldTrace& trace);

  const GroupByTraceOptions options_;
  const TraceOutlets outlets_;
  Counter& traces_evicted_;
  Counter& traces_released_;
  Counter& spans_released_;
  Counter& incomplete_releases_;
};

[[nodiscard]] std::unique_ptr<TraceHolder> MakeGroupByTrace(const ComponentId& id, const GroupByTraceOptions& options,
                                                            const BuildContext& context, Consumer& next,
                                                            const TraceHolderLimits& limits = {});

// Processor type "groupbytrace".
void RegisterGroupByTraceProcessor(Registry& registry);

}  // namespace spanloom::pipeline
