// SPDX-License-Identifier: Apache-2.0
//
// Writes OTLP metrics requests straight into their wire form, as writer.h does spans: for connectors that make metrics.
// Specification: opentelemetry/proto/metrics/v1.
//
//   MetricsWriter request(wire);
//   request.BeginResource(EncodeResource(...));
//   request.BeginScope(EncodeScope({.name = "spanmetricsconnector"}));
//   request.BeginMetric({.name = "calls", .kind = MetricKind::kSum, .temporality = Temporality::kCumulative,
//                        .is_monotonic = true});
//   request.AddSum(times, 5, write_attributes, exemplars);
//   request.End();

#pragma once

#include <absl/functional/function_ref.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "otlp/ids.h"
#include "otlp/metrics_views.h"
#include "otlp/wire/writer.h"
#include "otlp/writer.h"

namespace spanloom::otlp {

struct MetricFields {
  std::string_view name = {};
  std::string_view description = {};
  std::string_view unit = {};
  MetricKind kind = MetricKind::kNone;
  Temporality temporality = Temporality::kUnspecified;  // of sums and histograms
  bool is_monotonic = false;                            // of sums
};

struct ExemplarFields {
  TraceId trace_id = {};
  SpanId span_id = {};
  double value = 0;
};

struct HistogramFields {
  uint64_t count = 0;
  double sum = 0;
  std::span<const double> bounds = {};           // ascending
  std::span<const uint64_t> bucket_counts = {};  // [bounds + 1]
};

struct ExponentialFields {
  uint64_t count = 0;
  double sum = 0;
  int32_t scale = 0;
  uint64_t zero_count = 0;
  double min = 0;  // of what was counted; left out if there is nothing
  double max = 0;
  int32_t positive_offset = 0;
  std::span<const uint64_t> positive_counts = {};
};

// Thread-compatible; borrows the string that it appends to. Calls out of order are programming errors, caught by CHECK.
class MetricsWriter {
 public:
  using WriteAttributes = absl::FunctionRef<void(AttributeWriter&)>;
  using Exemplars = std::span<const ExemplarFields>;

  explicit MetricsWriter(std::string& out) : writer_(out) {}

  // Begins a ResourceMetrics and closes the one before. `resource` is a Resource in wire form.
  void BeginResource(std::string_view resource);
  // Begins a ScopeMetrics of the resource begun last. `scope` is an InstrumentationScope in wire form.
  void BeginScope(std::string_view scope);
  // Begins a metric of the scope begun last, and closes the one before.
  void BeginMetric(const MetricFields& fields);

  // A point of the metric begun last, whose kind it must be of. Exemplars have the time of the point.
  void AddNumber(const PointTimes& times, double value, WriteAttributes attributes);
  void AddSum(const PointTimes& times, int64_t value, WriteAttributes attributes, Exemplars exemplars = {});
  void AddHistogram(const PointTimes& times, const HistogramFields& fields, WriteAttributes attributes,
                    Exemplars exemplars = {});
  void AddExponential(const PointTimes& times, const ExponentialFields& fields, WriteAttributes attributes,
                      Exemplars exemplars = {});

  // Closes what is open. The string is then a whole request; another resource may follow.
  void End();

  // Points written so far.
  [[nodiscard]] size_t point_count() const { return points_; }
  [[nodiscard]] size_t size() const { return writer_.size(); }

 private:
  wire::Writer::Mark BeginPoint();
  void WriteExemplars(uint32_t field, uint64_t time_unix_ns, Exemplars exemplars);
  void EndMetric();
  void EndScope();

  wire::Writer writer_;
  size_t points_ = 0;
  bool in_resource_ = false;
  bool in_scope_ = false;
  bool in_metric_ = false;
  wire::Writer::Mark resource_metrics_;
  wire::Writer::Mark scope_metrics_;
  wire::Writer::Mark metric_;
  wire::Writer::Mark data_;
  MetricFields fields_;  // of the metric; its texts are written already
};

}  // namespace spanloom::otlp
