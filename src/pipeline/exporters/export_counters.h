// SPDX-License-Identifier: Apache-2.0
//
// The counters that every exporter has, under the Collector's names.

#pragma once

#include <string>

#include "base/metrics.h"

namespace spanloom::pipeline {

// Spans by what became of them. `exporter` is the component's id.
inline Counter& SentSpans(MetricRegistry& metrics, const std::string& exporter) {
  return metrics.GetCounter("otelcol_exporter_sent_spans", "Number of spans successfully sent to destination.",
                            {{"exporter", exporter}});
}
inline Counter& SendFailedSpans(MetricRegistry& metrics, const std::string& exporter) {
  return metrics.GetCounter("otelcol_exporter_send_failed_spans",
                            "Number of spans in failed attempts to send to destination.", {{"exporter", exporter}});
}
inline Counter& EnqueueFailedSpans(MetricRegistry& metrics, const std::string& exporter) {
  return metrics.GetCounter("otelcol_exporter_enqueue_failed_spans",
                            "Number of spans refused because the sending queue was full.", {{"exporter", exporter}});
}
inline Counter& RejectedSpans(MetricRegistry& metrics, const std::string& exporter) {
  return metrics.GetCounter("spanloom_exporter_rejected_spans",
                            "Number of spans that the destination rejected in an answer of partial success.",
                            {{"exporter", exporter}});
}

}  // namespace spanloom::pipeline
