// SPDX-License-Identifier: Apache-2.0
//
// The counters that every exporter has, under the Collector's names: of spans, metric points or log records.

#pragma once

#include <string>
#include <string_view>

#include "base/metrics.h"
#include "base/text.h"
#include "otlp/signal.h"

namespace spanloom::pipeline {

// otelcol_exporter_sent_spans and the like.
inline Counter& ExportCounter(MetricRegistry& metrics, std::string_view prefix, std::string_view help,
                              const std::string& exporter, otlp::Signal signal) {
  return metrics.GetCounter(StrCat(prefix, otlp::ItemsText(signal)),
                            StrCat("Number of ", otlp::ItemsWords(signal), " ", help), {{"exporter", exporter}});
}

// Items by what became of them. `exporter` is the component's id.
inline Counter& SentItems(MetricRegistry& metrics, const std::string& exporter,
                          otlp::Signal signal = otlp::Signal::kTraces) {
  return ExportCounter(metrics, "otelcol_exporter_sent_", "successfully sent to destination.", exporter, signal);
}
inline Counter& SendFailedItems(MetricRegistry& metrics, const std::string& exporter,
                                otlp::Signal signal = otlp::Signal::kTraces) {
  return ExportCounter(metrics, "otelcol_exporter_send_failed_", "in failed attempts to send to destination.", exporter,
                       signal);
}
inline Counter& EnqueueFailedItems(MetricRegistry& metrics, const std::string& exporter,
                                   otlp::Signal signal = otlp::Signal::kTraces) {
  return ExportCounter(metrics, "otelcol_exporter_enqueue_failed_", "refused because the sending queue was full.",
                       exporter, signal);
}
inline Counter& RejectedItems(MetricRegistry& metrics, const std::string& exporter,
                              otlp::Signal signal = otlp::Signal::kTraces) {
  return ExportCounter(metrics, "spanloom_exporter_rejected_",
                       "that the destination rejected in an answer of partial success.", exporter, signal);
}

}  // namespace spanloom::pipeline
