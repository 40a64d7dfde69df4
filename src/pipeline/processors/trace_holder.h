// SPDX-License-Identifier: Apache-2.0
//
// A holding processor around a TraceKeeper: takes spans out of their requests, gives them to the keeper, asks it for
// what is due, and passes on what it lets go. What groupbytrace and tail_sampling share.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "pipeline/processors/release_queue.h"
#include "pipeline/processors/trace_keeper.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// What the options do not say.
struct TraceHolderLimits {
  // Bytes of spans that wait, with their contexts: beyond that the oldest traces are settled before their time. Guess.
  size_t held_bytes_max = 512 << 20;
  // Bytes that what is behind has not taken yet: beyond that nothing is settled, and nothing is taken in. Guess.
  size_t released_bytes_max = 128 << 20;
  // Spans that are settled in one go on a loop: under a millisecond of policies. Measured by processors_bench.cc.
  size_t piece_spans = 256;
  ReleaseQueue::Limits release = {};
  // Between two looks at what is due; 0: the resolution of deadlines.
  std::chrono::nanoseconds tick = std::chrono::nanoseconds::zero();
};

// Thread-safe. Spans are copied on the loop that calls Consume; the keeper works on one loop. A batch is refused with
// kUnavailable and a delay while what is behind does not take what is released, and when the keeper does not admit it.
// What goes on has no origin, since the spans of a trace are of many senders.
class TraceHolder final : public HoldingProcessor {
 public:
  // Makes the keeper; `outlets` are for it.
  using MakeKeeper = std::function<std::unique_ptr<TraceKeeper>(TraceOutlets outlets)>;

  struct Traits {
    bool selects = false;
    std::chrono::nanoseconds wait = {};  // how long spans are held
  };

  TraceHolder(const ComponentId& id, const BuildContext& context, Consumer& next, const Traits& traits,
              const TraceHolderLimits& limits, const MakeKeeper& make_keeper);
  ~TraceHolder() override;

  Status Start() override { return absl::OkStatus(); }
  // Settles what waits, or gives it up, as the keeper does, and sends it until the grace has passed.
  void Stop(std::chrono::milliseconds grace) override;
  void HurryStop() override;
  void Consume(otlp::Batch batch, Done done) override;
  [[nodiscard]] bool selects() const override { return traits_.selects; }
  [[nodiscard]] HoldLimits hold_limits() const override;
  [[nodiscard]] uint64_t undelivered_spans() const override;

  // Shows `gauge` as long as the processor lives. Before Start.
  void Show(ScopedGauge gauge) { gauges_.push_back(std::move(gauge)); }
  // Traces in memory, those that are only remembered included. Any thread.
  [[nodiscard]] std::function<size_t()> TraceCount() const;
  // Batches that were copied and that the keeper has not got yet. Any thread.
  [[nodiscard]] std::function<size_t()> BatchesComing() const;

 private:
  class State;

  const Traits traits_;
  const TraceHolderLimits limits_;
  const std::shared_ptr<State> state_;  // shared with tasks on its loop
  std::vector<ScopedGauge> gauges_;
};

}  // namespace spanloom::pipeline
