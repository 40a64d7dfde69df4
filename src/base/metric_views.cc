// SPDX-License-Identifier: Apache-2.0

#include "base/metric_views.h"

#include <absl/algorithm/container.h>
#include <fnmatch.h>

#include <map>
#include <set>
#include <utility>

namespace spanloom {
namespace {

constexpr std::pair<std::string_view, std::string_view> kMeters[] = {
    {"otelcol_receiver_", "go.opentelemetry.io/collector/receiver/receiverhelper"},
    {"otelcol_exporter_", "go.opentelemetry.io/collector/exporter/exporterhelper"},
    {"otelcol_process_", "go.opentelemetry.io/collector/service"},
    {"otelcol_processor_incoming_", "go.opentelemetry.io/collector/processor/processorhelper"},
    {"otelcol_processor_outgoing_", "go.opentelemetry.io/collector/processor/processorhelper"},
    {"otelcol_processor_internal_", "go.opentelemetry.io/collector/processor/processorhelper"},
    {"otelcol_processor_batch_", "go.opentelemetry.io/collector/processor/batchprocessor"},
    {"otelcol_processor_memory_limiter_", "go.opentelemetry.io/collector/processor/memorylimiterprocessor"},
    {"otelcol_processor_filter_",
     "github.com/open-telemetry/opentelemetry-collector-contrib/processor/filterprocessor"},
    {"otelcol_processor_groupbytrace_",
     "github.com/open-telemetry/opentelemetry-collector-contrib/processor/groupbytraceprocessor"},
    {"otelcol_processor_probabilistic_sampler_",
     "github.com/open-telemetry/opentelemetry-collector-contrib/processor/probabilisticsamplerprocessor"},
    {"otelcol_processor_tail_sampling_",
     "github.com/open-telemetry/opentelemetry-collector-contrib/processor/tailsamplingprocessor"},
    {"otelcol_otelsvc_k8s_",
     "github.com/open-telemetry/opentelemetry-collector-contrib/processor/k8sattributesprocessor"},
    {"http_", "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"},
    {"rpc_", "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"},
};

bool Matches(const std::string& pattern, std::string_view text) {
  return pattern.empty() || fnmatch(pattern.c_str(), std::string(text).c_str(), 0) == 0;
}

std::string_view UnitOf(std::string_view unit) {
  if (unit == "bytes") return "By";
  return unit == "seconds" ? "s" : unit;
}

bool Names(const MetricView& view, const MetricSnapshot& metric) {
  return Matches(view.name_pattern, metric.name) &&
         (view.meter_pattern.empty() || Matches(view.meter_pattern, MeterOf(metric.name))) &&
         (view.type.empty() || view.type == metric.type) && (view.unit.empty() || view.unit == UnitOf(metric.unit));
}

bool IsAmong(const std::vector<std::string>& names, std::string_view label) {
  return absl::c_any_of(names, [&](const std::string& name) {
    return name.size() == label.size() &&
           absl::c_equal(name, label, [](char a, char b) { return a == b || (a == '.' && b == '_'); });
  });
}

void AddUp(const MetricSnapshot::Series& series, MetricSnapshot::Series& sum) {
  sum.value += series.value;
  sum.sum += series.sum;
  for (size_t i = 0; i < sum.counts.size() && i < series.counts.size(); ++i) sum.counts[i] += series.counts[i];
}

MetricSnapshot Seen(MetricSnapshot metric, const MetricView& view) {
  if (!view.name.empty()) metric.name = view.name;
  if (!view.help.empty()) metric.help = view.help;
  if (view.included.empty() && view.excluded.empty()) return metric;
  std::map<MetricLabels, MetricSnapshot::Series> by_labels;
  for (MetricSnapshot::Series& series : metric.series) {
    std::erase_if(series.labels, [&](const auto& label) {
      return (!view.included.empty() && !IsAmong(view.included, label.first)) || IsAmong(view.excluded, label.first);
    });
    const auto [known, is_first] = by_labels.try_emplace(series.labels, series);
    if (!is_first) AddUp(series, known->second);
  }
  metric.series.clear();
  for (auto& [labels, series] : by_labels) metric.series.push_back(std::move(series));
  return metric;
}

}  // namespace

std::string_view MeterOf(std::string_view metric) {
  for (const auto& [prefix, meter] : kMeters) {
    if (metric.starts_with(prefix)) return meter;
  }
  return "spanloom";
}

std::vector<MetricSnapshot> ApplyViews(std::vector<MetricSnapshot> metrics, const std::vector<MetricView>& views) {
  if (views.empty()) return metrics;
  std::vector<MetricSnapshot> seen;
  std::set<std::string> names;
  const auto show = [&](MetricSnapshot metric) {
    if (names.insert(metric.name).second) seen.push_back(std::move(metric));
  };
  for (MetricSnapshot& metric : metrics) {
    bool is_named = false;
    for (const MetricView& view : views) {
      if (!Names(view, metric)) continue;
      is_named = true;
      if (!view.is_dropped) show(Seen(metric, view));
    }
    if (!is_named) show(std::move(metric));
  }
  return seen;
}

}  // namespace spanloom
