// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/queue_ledger.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "pipeline/exporters/export_counters.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kDropAdvice =
    "see the error of the destination; a longer outage needs a larger max_elapsed_time and queue_size";
constexpr std::string_view kRefusedAdvice =
    "the destination refuses them for good: see its error, and its address, credentials and limits here";

}  // namespace

QueueLedger::QueueLedger(std::string exporter, const SendingQueueOptions& options, const BuildContext& context)
    : exporter_(std::move(exporter)),
      signal_(context.signal),
      answers_early_(options.answers_early()),
      is_on_disk_(options.is_on_disk()),
      drops_({{"exporter", exporter_}}, context.metrics, context.clock, context.signal),
      failure_log_(context.clock),
      sent_(SentItems(context.metrics, exporter_, context.signal, context.destination)),
      send_failed_(SendFailedItems(context.metrics, exporter_, context.signal, context.destination)),
      enqueue_failed_(EnqueueFailedItems(context.metrics, exporter_, context.signal)),
      rejected_(RejectedItems(context.metrics, exporter_, context.signal)),
      lost_requests_(context.metrics.GetCounter(
          "spanloom_exporter_lost_requests",
          "Requests of a queue on the disk that can't be read any more; at most so many.", {{"exporter", exporter_}})) {
}

void QueueLedger::Delivered(size_t spans, size_t rejected) {
  rejected = std::min(rejected, spans);
  sent_.Add(spans - rejected);
  rejected_.Add(rejected);
  if (answers_early_) held_spans_ -= spans;
}

void QueueLedger::Fail(size_t spans) {
  send_failed_.Add(spans);
  if (answers_early_) held_spans_ -= spans;
}

void QueueLedger::GaveUp(size_t spans, const Status& why) {
  if (answers_early_) drops_.CountUnlogged(spans, why);
  LogFailure(spans, why);
  Fail(spans);
}

// In the Collector's words and fields.
void QueueLedger::LogFailure(size_t spans, const Status& why) {
  const auto items = failure_log_.Admit(spans);
  if (!items) return;
  Log(LogLevel::kError, answers_early_ ? "Exporting failed. Dropping data." : "Exporting failed. Rejecting data.",
      {{"exporter", exporter_},
       {"otelcol.signal", otlp::SignalText(signal_)},
       {"error", StdView(why.message())},
       {answers_early_ ? "dropped_items" : "rejected_items", *items},
       {"advice", IsRetryable(why) ? kDropAdvice : kRefusedAdvice}});
}

void QueueLedger::GaveUpAsTooLarge(size_t spans) {
  if (answers_early_) drops_.CountTooLarge(spans);
  Fail(spans);
}

void QueueLedger::GaveUpAtStop(size_t spans) {
  if (is_on_disk_) {
    unreported_spans_ += spans;
    held_spans_ -= spans;
    return;
  }
  if (answers_early_) {
    unreported_spans_ += spans;
    undelivered_spans_ += spans;
  }
  Fail(spans);
}

void QueueLedger::ReportStop() {
  const uint64_t spans = unreported_spans_.exchange(0);
  if (spans == 0) return;
  if (!is_on_disk_) return drops_.CountShutdown(spans);
  Log(LogLevel::kInfo, "what was not delivered stays on the disk, and is sent after the next start",
      {{"exporter", exporter_}, {"items", spans}});
}

}  // namespace spanloom::pipeline
