// SPDX-License-Identifier: Apache-2.0

#include "pipeline/drops.h"

#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"

namespace spanloom::pipeline {

std::string_view CauseOf(const Status& status) {
  static constexpr std::string_view kNames[] = {
      "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
      "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
      "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
      "DataLoss", "Unauthenticated"};
  const auto code = static_cast<size_t>(status.code());
  return code < std::size(kNames) ? kNames[code] : kNames[2];
}

DropCounter::DropCounter(MetricLabels owner, MetricRegistry& metrics, const Clock& clock, otlp::Signal signal)
    : signal_(signal), owner_(std::move(owner)), metrics_(metrics), limiter_(clock) {
  CHECK(!owner_.empty());
}

void DropCounter::CountCause(uint64_t spans, std::string_view cause) {
  MetricLabels labels = owner_;
  labels.emplace_back("cause", cause);
  metrics_
      .GetCounter(StrCat("spanloom_pipeline_dropped_", otlp::ItemsText(signal_)),
                  "Items that were accepted and then lost, by cause.", labels)
      .Add(spans);
}

void DropCounter::Count(uint64_t spans, const Status& status, std::string_view advice) {
  CountCause(spans, CauseOf(status));
  const auto logged_spans = limiter_.Admit(spans);
  if (!logged_spans) return;
  Log(LogLevel::kError, StrCat(otlp::ItemsWords(signal_), " dropped"),
      {{owner_[0].first, owner_[0].second},
       {otlp::ItemsText(signal_), *logged_spans},
       {"error", StdView(status.message())},
       {"advice", advice}});
}

void DropCounter::CountShutdown(uint64_t spans) {
  if (spans == 0) return;
  CountCause(spans, kCauseShutdown);
  Log(LogLevel::kError,
      StrCat(otlp::ItemsWords(signal_), " dropped at shutdown: the grace ended before they were delivered"),
      {{owner_[0].first, owner_[0].second}, {otlp::ItemsText(signal_), spans}});
}

void DropCounter::CountUnrouted(uint64_t spans) {
  CountCause(spans, kCauseUnrouted);
  const auto logged_spans = limiter_.Admit(spans);
  if (!logged_spans) return;
  Log(LogLevel::kWarn, StrCat(otlp::ItemsWords(signal_), " dropped: no route leads them to a pipeline"),
      {{owner_[0].first, owner_[0].second},
       {otlp::ItemsText(signal_), *logged_spans},
       {"advice",
        "name default_pipelines for what matches no route; one that ends in a nop exporter drops in silence"}});
}

}  // namespace spanloom::pipeline
