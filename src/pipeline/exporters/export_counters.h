// SPDX-License-Identifier: Apache-2.0
//
// The counters that every exporter has, under the Collector's names: of spans, metric points or log records.

#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/metrics.h"
#include "base/text.h"
#include "net/host_port.h"
#include "otlp/signal.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// `context` of an exporter that sends to `destination`: "HOST:PORT", over HTTP with the path behind, or "" if there is
// no one server.
inline BuildContext WithDestination(BuildContext context, std::string destination) {
  context.destination = std::move(destination);
  return context;
}

// otelcol_exporter_sent_spans and the like. `destination` is BuildContext::destination: its labels are left out if
// there is none, or if it is a unix socket.
// `outcome`: labels of its own.
inline Counter& ExportCounter(MetricRegistry& metrics, std::string_view prefix, std::string_view help,
                              const std::string& exporter, otlp::Signal signal, const std::string& destination = "",
                              const MetricLabels& outcome = {}) {
  MetricLabels labels = {{"exporter", exporter}};
  const bool is_unix = destination.starts_with("unix:");
  const size_t slash = is_unix ? destination.size() : std::min(destination.find('/'), destination.size());
  const std::string_view server = std::string_view(destination).substr(0, slash);
  if (const std::string_view host = net::HostOf(server); !host.empty()) {
    labels.emplace_back("server_address", host);
    labels.emplace_back("server_port", server.substr(server.rfind(':') + 1));
    if (slash < destination.size()) labels.emplace_back("url_path", destination.substr(slash));
  }
  labels.insert(labels.end(), outcome.begin(), outcome.end());
  return metrics.GetCounter(StrCat(prefix, otlp::ItemsText(signal)),
                            StrCat("Number of ", otlp::ItemsWords(signal), " ", help), labels);
}

// Items by what became of them. `exporter` is the component's id.
inline Counter& SentItems(MetricRegistry& metrics, const std::string& exporter,
                          otlp::Signal signal = otlp::Signal::kTraces, const std::string& destination = "") {
  return ExportCounter(metrics, "otelcol_exporter_sent_", "successfully sent to destination.", exporter, signal,
                       destination);
}
inline Counter& SendFailedItems(MetricRegistry& metrics, const std::string& exporter,
                                otlp::Signal signal = otlp::Signal::kTraces, const std::string& destination = "",
                                const MetricLabels& outcome = {}) {
  return ExportCounter(metrics, "otelcol_exporter_send_failed_", "in failed attempts to send to destination.", exporter,
                       signal, destination, outcome);
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

// Items that were not sent: one counter, and with detailed metrics one for each error, as the Collector has them.
// Thread-safe. `metrics` outlives it.
class FailedItems {
 public:
  FailedItems(MetricRegistry& metrics, std::string exporter, otlp::Signal signal, std::string destination)
      : metrics_(metrics), exporter_(std::move(exporter)), signal_(signal), destination_(std::move(destination)) {
    if (!metrics_.is_detailed()) all_ = &SendFailedItems(metrics_, exporter_, signal_, destination_);
  }

  // `cause`: "Unavailable", "Shutdown", ...; `is_permanent`: sending them again would change nothing.
  void Add(uint64_t items, std::string_view cause, bool is_permanent) {
    if (all_ != nullptr) return all_->Add(items);
    SendFailedItems(metrics_, exporter_, signal_, destination_,
                    {{"error_permanent", is_permanent ? "true" : "false"}, {"error_type", std::string(cause)}})
        .Add(items);
  }

 private:
  MetricRegistry& metrics_;
  const std::string exporter_;
  const otlp::Signal signal_;
  const std::string destination_;
  Counter* all_ = nullptr;  // of `metrics_`
};

}  // namespace spanloom::pipeline
