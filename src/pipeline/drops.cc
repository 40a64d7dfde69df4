// SPDX-License-Identifier: Apache-2.0

#include "pipeline/drops.h"

#include <utility>

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

DropCounter::DropCounter(std::string_view kind, std::string name, MetricRegistry& metrics, const Clock& clock)
    : kind_(kind), name_(std::move(name)), metrics_(metrics), limiter_(clock) {}

void DropCounter::CountCause(uint64_t spans, std::string_view cause) {
  metrics_
      .GetCounter("spanloom_pipeline_dropped_spans", "Spans that were accepted and then lost, by cause.",
                  {{kind_, name_}, {"cause", std::string(cause)}})
      .Add(spans);
}

void DropCounter::Count(uint64_t spans, const Status& status, std::string_view advice) {
  CountCause(spans, CauseOf(status));
  const auto logged_spans = limiter_.Admit(spans);
  if (!logged_spans) return;
  Log(LogLevel::kError, "spans dropped",
      {{kind_, name_}, {"spans", *logged_spans}, {"error", StdView(status.message())}, {"advice", advice}});
}

void DropCounter::CountShutdown(uint64_t spans) {
  if (spans == 0) return;
  CountCause(spans, kCauseShutdown);
  Log(LogLevel::kError, "spans dropped at shutdown: the grace ended before they were delivered",
      {{kind_, name_}, {"spans", spans}});
}

}  // namespace spanloom::pipeline
