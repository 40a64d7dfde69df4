// SPDX-License-Identifier: Apache-2.0
//
// The batch processor: gathers spans until there are enough or some time has passed, then passes them on as one batch.
// It answers as soon as it holds the spans, so it holds a bounded amount of them, and refuses what does not fit.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/metrics.h"
#include "config/options.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

struct BatchOptions {
  std::chrono::nanoseconds timeout = std::chrono::milliseconds(200);
  int64_t send_batch_size = 8192;
  int64_t send_batch_max_size = 0;
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

// What the options do not say.
struct BatchLimits {
  size_t held_bytes_max = 64 << 20;  // wire bytes held, the batch under way included; guess
  size_t held_spans_max = 500'000;   // guess
  // Wire bytes that make a batch be sent, and at which a larger one is split: below the 4 MiB that gRPC receivers take
  // by default, with room for what the estimate of SliceQueue gets wrong.
  size_t batch_bytes_max = 3 << 20;
  std::chrono::milliseconds retry_delay{1'000};  // after a refusal without a delay of its own; guess
};

// Thread-safe; works on one loop. Sends one batch at a time, in order of arrival. A refusal that is retryable keeps the
// batch and offers it again after the refusal's delay; another one drops it, counted by cause in
// spanloom_pipeline_dropped_spans. When a further batch would exceed the limits it is refused with kUnavailable and a
// delay.
class BatchProcessor final : public HoldingProcessor {
 public:
  BatchProcessor(const ComponentId& id, const BatchOptions& options, const BuildContext& context, Consumer& next,
                 const BatchLimits& limits = {});
  ~BatchProcessor() override;

  Status Start() override { return absl::OkStatus(); }
  // Sends what is held at once, and again where it is refused, until the grace has passed.
  void Stop(std::chrono::milliseconds grace) override;
  void HurryStop() override;
  void Consume(otlp::Batch batch, Done done) override;
  [[nodiscard]] bool selects() const override { return false; }
  [[nodiscard]] HoldLimits hold_limits() const override;
  [[nodiscard]] uint64_t undelivered_spans() const override;

 private:
  class State;
  const std::shared_ptr<State> state_;  // shared with tasks on its loop and with answers under way
  const ScopedGauge cardinality_gauge_;
  const ScopedGauge held_gauge_;
};

// Processor type "batch".
void RegisterBatchProcessor(Registry& registry);

}  // namespace spanloom::pipeline
