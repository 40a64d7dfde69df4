// SPDX-License-Identifier: Apache-2.0
//
// How metrics are shown otherwise than they are counted: left out, called differently, or with fewer labels. Views of
// the OpenTelemetry SDK specification, on what a registry says at a moment.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"

namespace spanloom {

struct MetricView {
  // Which metrics; "": all. The patterns have * and ?.
  std::string name_pattern = {};
  std::string meter_pattern = {};  // of the Collector's name for the meter, see MeterOf
  std::string type = {};           // "counter", "gauge" or "histogram"
  std::string unit = {};           // as it was written; "bytes" is "By", "seconds" is "s"

  bool is_dropped = false;
  std::string name = {};  // "": as it is
  std::string help = {};  // the same
  // Names of labels, with dots or underscores; "": no rule. Series that become the same are added up.
  std::vector<std::string> included = {};
  std::vector<std::string> excluded = {};
};

// The meter that the Collector makes a metric of this name with:
// "go.opentelemetry.io/collector/exporter/exporterhelper" of otelcol_exporter_sent_spans; "spanloom" of those that it
// has not.
[[nodiscard]] std::string_view MeterOf(std::string_view metric);

// `metrics` as `views` have them, in their order: one for each view that names it and does not drop it, as it is if
// none names it. Of two that come to the same name the first stays.
[[nodiscard]] std::vector<MetricSnapshot> ApplyViews(std::vector<MetricSnapshot> metrics,
                                                     const std::vector<MetricView>& views);

// Prometheus text exposition format 0.0.4.
[[nodiscard]] std::string RenderMetrics(const std::vector<MetricSnapshot>& metrics, const MetricNaming& naming);

}  // namespace spanloom
