// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/queue_ledger.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "pipeline/exporters/failure_text.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kDropAdvice =
    "see the error of the destination; a longer outage needs a larger max_elapsed_time and queue_size";
constexpr std::string_view kFullAdvice = "senders come again; a longer outage needs a larger queue_size, or a storage";
constexpr std::string_view kRefusedAdvice =
    "the destination refuses them for good: see its error, and its address, credentials and limits here";

// What the configuration could do about a failure.
std::string FailureAdvice(const SendingQueueOptions& options, const RetryOptions& retry) {
  return StrCat(retry.enabled ? "" : " Try enabling retry_on_failure config option to retry on retryable errors.",
                options.enabled ? "" : " Try enabling sending_queue to survive temporary failures.");
}

// Upper bounds as the Collector has them.
const std::vector<double> kSizeBounds = {10,    25,     50,     75,     100,    250,    500,   750,
                                         1'000, 2'000,  3'000,  4'000,  5'000,  6'000,  7'000, 8'000,
                                         9'000, 10'000, 20'000, 30'000, 50'000, 100'000};
const std::vector<double> kByteBounds = {10, 25, 50, 75, 100, 250, 500, 750, 1'000, 2'000, 3'000, 4'000, 5'000, 6'000};

Histogram* SendSizes(const SendingQueueOptions& options, const BuildContext& context, std::string_view name,
                     std::string_view help, const std::vector<double>& bounds, const std::string& exporter) {
  if (!options.enabled || !context.metrics.is_detailed()) return nullptr;
  return &context.metrics.GetHistogram(name, help, bounds, {{"exporter", exporter}});
}

}  // namespace

QueueLedger::QueueLedger(std::string exporter, const SendingQueueOptions& options, const RetryOptions& retry,
                         const BuildContext& context)
    : exporter_(std::move(exporter)),
      signal_(context.signal),
      answers_early_(options.answers_early()),
      is_on_disk_(options.is_on_disk()),
      failure_advice_(FailureAdvice(options, retry)),
      drops_({{"exporter", exporter_}}, context.metrics, context.clock, context.signal),
      failure_log_(context.clock),
      refusal_log_(context.clock),
      sent_(SentItems(context.metrics, exporter_, context.signal, context.destination)),
      failed_(context.metrics, exporter_, context.signal, context.destination),
      send_sizes_(SendSizes(options, context, "otelcol_exporter_queue_batch_send_size",
                            "Items of a request that is sent.", kSizeBounds, exporter_)),
      send_bytes_(SendSizes(options, context, "otelcol_exporter_queue_batch_send_size_bytes",
                            "Bytes of a request that is sent.", kByteBounds, exporter_)),
      enqueue_failed_(EnqueueFailedItems(context.metrics, exporter_, context.signal)),
      rejected_(RejectedItems(context.metrics, exporter_, context.signal)),
      lost_requests_(context.metrics.GetCounter(
          "spanloom_exporter_lost_requests",
          "Requests of a queue on the disk that can't be read any more; at most so many.", {{"exporter", exporter_}})) {
}

void QueueLedger::Begun(size_t spans, size_t bytes) {
  if (send_sizes_ == nullptr) return;
  send_sizes_->Add(static_cast<double>(spans));
  send_bytes_->Add(static_cast<double>(bytes));
}

void QueueLedger::Delivered(size_t spans, size_t rejected) {
  rejected = std::min(rejected, spans);
  sent_.Add(spans - rejected);
  rejected_.Add(rejected);
  if (answers_early_) held_spans_ -= spans;
}

void QueueLedger::Fail(size_t spans, std::string_view cause, bool is_permanent) {
  failed_.Add(spans, cause, is_permanent);
  if (answers_early_) held_spans_ -= spans;
}

void QueueLedger::GaveUp(size_t spans, const Status& why, std::string_view verdict) {
  if (answers_early_) drops_.CountUnlogged(spans, why);
  LogFailure(spans, why, verdict);
  Fail(spans, CauseOf(why), !IsRetryable(why));
}

// In the Collector's words and fields.
void QueueLedger::LogFailure(size_t spans, const Status& why, std::string_view verdict) {
  const auto items = failure_log_.Admit(spans);
  if (!items) return;
  Log(LogLevel::kError,
      StrCat(answers_early_ ? "Exporting failed. Dropping data." : "Exporting failed. Rejecting data.",
             failure_advice_),
      {{"exporter", exporter_},
       {"otelcol.signal", otlp::SignalText(signal_)},
       {"error", StrCat(verdict, verdict.empty() ? "" : ": ", FailureText(why))},
       {answers_early_ ? "dropped_items" : "rejected_items", *items},
       {"advice", IsRetryable(why) ? kDropAdvice : kRefusedAdvice}});
}

void QueueLedger::Refused(size_t spans, const Status& why) {
  enqueue_failed_.Add(spans);
  const auto items = refusal_log_.Admit(spans);
  if (!items) return;
  Log(LogLevel::kError, StrCat("Exporting failed. Rejecting data.", failure_advice_),
      {{"exporter", exporter_},
       {"otelcol.signal", otlp::SignalText(signal_)},
       {"error", StdView(why.message())},
       {"rejected_items", *items},
       {"advice", kFullAdvice}});
}

void QueueLedger::GaveUpAsTooLarge(size_t spans) {
  if (answers_early_) drops_.CountTooLarge(spans);
  Fail(spans, CauseOf(absl::ResourceExhaustedError("")), true);
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
  Fail(spans, "Shutdown", false);
}

void QueueLedger::ReportStop() {
  const uint64_t spans = unreported_spans_.exchange(0);
  if (spans == 0) return;
  if (!is_on_disk_) return drops_.CountShutdown(spans);
  Log(LogLevel::kInfo, "what was not delivered stays on the disk, and is sent after the next start",
      {{"exporter", exporter_}, {"items", spans}});
}

}  // namespace spanloom::pipeline
