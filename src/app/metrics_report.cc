// SPDX-License-Identifier: Apache-2.0

#include "app/metrics_report.h"

#include <numeric>

#include "app/version.h"
#include "otlp/metrics_writer.h"
#include "otlp/writer.h"

namespace spanloom::app {
namespace {

using otlp::MetricKind;
using Series = MetricSnapshot::Series;

// Units as OTLP has them (UCUM).
std::string_view UnitOf(std::string_view unit) {
  if (unit == "bytes") return "By";
  return unit == "seconds" ? "s" : unit;
}

MetricKind KindOf(std::string_view type) {
  if (type == "histogram") return MetricKind::kHistogram;
  return type == "counter" ? MetricKind::kSum : MetricKind::kGauge;
}

void AddPoint(const otlp::PointTimes& times, MetricKind kind, const Series& series, otlp::MetricsWriter& writer) {
  const auto write_labels = [&](otlp::AttributeWriter& attributes) {
    for (const auto& [name, value] : series.labels) attributes.String(name, value);
  };
  if (kind == MetricKind::kHistogram) {
    const uint64_t count = std::accumulate(series.counts.begin(), series.counts.end(), uint64_t{0});
    return writer.AddHistogram(
        times, {.count = count, .sum = series.sum, .bounds = series.bounds, .bucket_counts = series.counts},
        write_labels);
  }
  if (series.is_whole) return writer.AddSum(times, static_cast<int64_t>(series.value), write_labels);
  writer.AddNumber(times, series.value, write_labels);
}

}  // namespace

Series MetricsReporter::SinceBase(const std::string& name, Series series) const {
  const auto base = base_.find({name, series.labels});
  if (base == base_.end()) return series;
  const Series& before = base->second;
  if (before.counts.size() != series.counts.size() || series.value < before.value) return series;
  for (size_t i = 0; i < series.counts.size(); ++i) {
    if (series.counts[i] < before.counts[i]) return series;
  }
  for (size_t i = 0; i < series.counts.size(); ++i) series.counts[i] -= before.counts[i];
  series.value -= before.value;
  series.sum -= before.sum;
  return series;
}

MetricsReporter::Report MetricsReporter::Encode(std::vector<MetricSnapshot> metrics, int64_t now_unix_ns) {
  Report report;
  otlp::MetricsWriter writer(report.request);
  writer.BeginResource(resource_);
  writer.BeginScope(otlp::EncodeScope({.name = "spanloom", .version = Version()}));
  for (const MetricSnapshot& metric : metrics) {
    if (metric.name == "target_info") continue;
    const MetricKind kind = KindOf(metric.type);
    const bool is_gauge = kind == MetricKind::kGauge;
    writer.BeginMetric({.name = metric.name,
                        .description = metric.help,
                        .unit = UnitOf(metric.unit),
                        .kind = kind,
                        .temporality = is_gauge      ? otlp::Temporality::kUnspecified
                                       : has_deltas_ ? otlp::Temporality::kDelta
                                                     : otlp::Temporality::kCumulative,
                        .is_monotonic = kind == MetricKind::kSum});
    const otlp::PointTimes times{.start_unix_ns = is_gauge ? 0 : static_cast<uint64_t>(start_unix_ns_),
                                 .time_unix_ns = static_cast<uint64_t>(now_unix_ns)};
    for (const Series& series : metric.series) {
      AddPoint(times, kind, is_gauge || !has_deltas_ ? series : SinceBase(metric.name, series), writer);
    }
  }
  writer.End();
  report.points = writer.point_count();
  encoded_unix_ns_ = now_unix_ns;
  if (has_deltas_) encoded_ = std::move(metrics);
  return report;
}

void MetricsReporter::Delivered() {
  if (!has_deltas_) return;
  start_unix_ns_ = encoded_unix_ns_;
  base_.clear();
  for (MetricSnapshot& metric : encoded_) {
    for (Series& series : metric.series) base_.insert_or_assign({metric.name, series.labels}, series);
  }
  encoded_.clear();
}

}  // namespace spanloom::app
