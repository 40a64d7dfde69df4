// SPDX-License-Identifier: Apache-2.0
//
// What becomes of the spans of a sending queue, in counters: each is sent, rejected, given up, or held still.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/metrics.h"
#include "pipeline/drops.h"
#include "pipeline/exporters/export_counters.h"
#include "pipeline/exporters/queue_options.h"
#include "pipeline/exporters/retry.h"
#include "pipeline/log_limiter.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// Thread-safe. What was answered OK is held from Took until exactly one of the functions below it; what was not is
// counted by the same functions, and is no loss when it is given up: its sender decides.
class QueueLedger {
 public:
  QueueLedger(std::string exporter, const SendingQueueOptions& options, const RetryOptions& retry,
              const BuildContext& context);

  void Took(size_t spans) { held_spans_ += spans; }
  // A request has left the queue to be sent.
  void Begun(size_t spans, size_t bytes);
  // The destination has taken all but the `rejected` ones.
  void Delivered(size_t spans, size_t rejected);
  // `verdict` is why it is not sent again, for the log; "" if nothing is ever.
  void GaveUp(size_t spans, const Status& why, std::string_view verdict);
  void GaveUpAsTooLarge(size_t spans);
  // What is on the disk is only left there.
  void GaveUpAtStop(size_t spans);
  void ReportStop();

  // Nothing of it was taken.
  void Refused(size_t spans, const Status& why);
  void LostOnDisk(size_t requests) { lost_requests_.Add(requests); }

  [[nodiscard]] uint64_t held_spans() const { return held_spans_.load(); }
  [[nodiscard]] uint64_t undelivered_spans() const { return undelivered_spans_.load(); }

 private:
  void Fail(size_t spans, std::string_view cause, bool is_permanent);
  void LogFailure(size_t spans, const Status& why, std::string_view verdict);

  const std::string exporter_;
  const otlp::Signal signal_;
  const bool answers_early_;
  const bool is_on_disk_;
  const std::string failure_advice_;  // in the Collector's words
  DropCounter drops_;
  LogLimiter failure_log_;
  LogLimiter refusal_log_;
  Counter& sent_;
  FailedItems failed_;
  Histogram* const send_sizes_;  // null unless metrics are detailed, or without a queue; so the next
  Histogram* const send_bytes_;
  Counter& enqueue_failed_;
  Counter& rejected_;
  Counter& lost_requests_;
  std::atomic<uint64_t> held_spans_ = 0;
  std::atomic<uint64_t> undelivered_spans_ = 0;
  std::atomic<uint64_t> unreported_spans_ = 0;  // given up at a stop, and not said yet
};

}  // namespace spanloom::pipeline
