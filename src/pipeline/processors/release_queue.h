// SPDX-License-Identifier: Apache-2.0
//
// What a holding processor has let go, until what is behind it has taken it.

#pragma once

#include <absl/functional/any_invocable.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "net/loop.h"
#include "otlp/batch.h"
#include "pipeline/consumer.h"
#include "pipeline/drops.h"
#include "pipeline/slice_queue.h"

namespace spanloom::pipeline {

// First in, first out; one batch is under way at a time. A refusal that is retryable keeps the batch and offers it
// again after the refusal's delay; another one drops it, counted by cause. Sequence-bound: `loop`; the counts may be
// read by any thread. Held by a shared_ptr, because answers come on any thread and at any time.
class ReleaseQueue : public std::enable_shared_from_this<ReleaseQueue> {
 public:
  struct Limits {
    // Wire bytes of a batch: below the 4 MiB that gRPC receivers take by default, as of the processor batch.
    size_t batch_bytes_max = 3 << 20;
    std::chrono::milliseconds retry_delay{1'000};  // after a refusal without a delay of its own; guess
  };

  // `owner` as of DropCounter. `on_progress` is called on the loop when a batch is through, until Abandon. References
  // outlive all answers.
  ReleaseQueue(net::Loop& loop, Consumer& next, MetricLabels owner, MetricRegistry& metrics, const Clock& clock,
               const Limits& limits, absl::AnyInvocable<void()> on_progress);

  void Push(otlp::Slice slice);
  // Offers what waits, unless a batch is under way.
  void Send();
  // From now on a retry waits for nothing: offers at once what was refused.
  void Hasten();
  // Gives up what waits, and what is under way if it is refused: counted as lost by a shutdown.
  void Abandon();

  // Counts what its owner loses, too.
  [[nodiscard]] DropCounter& drops() { return drops_; }

  [[nodiscard]] bool idle() const { return waiting_.empty() && !sending_; }
  // Under way included.
  [[nodiscard]] size_t wire_bytes() const { return waiting_.wire_bytes() + under_way_bytes_; }
  [[nodiscard]] uint64_t held_spans() const { return held_spans_.load(); }
  [[nodiscard]] uint64_t abandoned_spans() const { return abandoned_spans_.load(); }

 private:
  void Offer();
  void OnAnswer(const Status& status);
  void GiveUp(uint64_t spans);
  void FinishUnderWay();

  net::Loop& loop_;
  Consumer& next_;
  DropCounter drops_;
  const Limits limits_;
  absl::AnyInvocable<void()> on_progress_;
  SliceQueue waiting_;
  otlp::Batch under_way_;
  size_t under_way_bytes_ = 0;
  bool sending_ = false;   // under_way_ is in use
  bool answered_ = false;  // next_ has refused it; retry_ is running
  bool abandoned_ = false;
  net::Timer retry_;
  std::atomic<uint64_t> held_spans_ = 0;
  std::atomic<uint64_t> abandoned_spans_ = 0;
};

}  // namespace spanloom::pipeline
