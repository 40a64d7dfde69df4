// SPDX-License-Identifier: Apache-2.0
//
// The span_metrics connector: counts spans, measures how long they took and counts their events, and passes that on as
// metrics. Names, dimensions and their order are the Collector's.

#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "pipeline/connectors/metrics_outlet.h"
#include "pipeline/connectors/span_metrics_options.h"
#include "pipeline/connectors/span_tally.h"
#include "pipeline/connectors/ticker.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// Thread-safe. Spans are never refused while it runs.
class SpanMetricsConnector final : public PassingConnector {
 public:
  SpanMetricsConnector(const ComponentId& id, const SpanMetricsOptions& options, const BuildContext& context,
                       Consumer& next);

  Status Start() override;
  // Passes on what has been counted, once more.
  void Stop(std::chrono::milliseconds grace) override;
  void Consume(otlp::Batch batch, Done done) override;
  [[nodiscard]] bool derives() const override { return true; }
  [[nodiscard]] HoldLimits hold_limits() const override { return {.time = options_.metrics_flush_interval}; }

  // Passes on what has been counted. Not on a loop.
  void Flush();

 private:
  const std::string id_;
  const SpanMetricsOptions options_;
  SpanTally tally_;
  MetricsOutlet outlet_;
  Counter& skipped_;
  const ScopedGauge series_gauge_;
  const ScopedGauge lost_gauge_;
  std::atomic<bool> is_stopped_ = false;
  Ticker ticker_;
};

// Connector type "span_metrics", which was "spanmetrics".
void RegisterSpanMetricsConnector(Registry& registry);

}  // namespace spanloom::pipeline
