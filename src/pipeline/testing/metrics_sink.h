// SPDX-License-Identifier: Apache-2.0
//
// For tests: the end of a pipeline of metrics, and its points as text.

#pragma once

#include <absl/base/thread_annotations.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/text.h"
#include "otlp/metrics_views.h"
#include "pipeline/consumer.h"
#include "pipeline/testing/fake_consumer.h"
#include "store/value_text.h"

namespace spanloom::pipeline {

// One point of whatever kind.
struct ShownPoint {
  otlp::PointTimes times = {};
  double value = 0;  // of a number; of a histogram its count
  double sum = 0;
  std::vector<uint64_t> buckets = {};
  std::vector<double> bounds = {};
  int32_t scale = 0;
  size_t exemplars = 0;
};

// Points by "NAME{key=value,key=value}", with the attributes in order of arrival; the last one wins.
using ShownPoints = std::map<std::string, ShownPoint>;

template <typename Attributes>
std::string SeriesText(std::string_view metric, const Attributes& attributes) {
  std::string text = StrCat(metric, "{");
  for (const otlp::AttributeView attribute : attributes) {
    StrAppend(text, text.ends_with('{') ? "" : ",", attribute.key(), "=", store::ValueText(attribute.value()));
  }
  return text + "}";
}

inline void ShowMetric(const otlp::MetricView& metric, ShownPoints& points) {
  const auto show = [&](const auto& point, double value) -> ShownPoint& {
    ShownPoint& shown = points[SeriesText(metric.name(), point.attributes())];
    shown = {.times = point.times(), .value = value};
    if constexpr (requires { point.exemplars(); }) shown.exemplars = point.exemplars().Count();
    return shown;
  };
  using otlp::MetricKind;
  if (metric.kind() == MetricKind::kSum || metric.kind() == MetricKind::kGauge) {
    for (const otlp::NumberPointView point : metric.number_points()) show(point, point.value());
  } else if (metric.kind() == MetricKind::kHistogram) {
    for (const otlp::HistogramPointView point : metric.histogram_points()) {
      ShownPoint& shown = show(point, static_cast<double>(point.count()));
      shown.sum = point.sum();
      shown.buckets = point.bucket_counts();
      shown.bounds = point.bounds();
    }
  } else if (metric.kind() == MetricKind::kExponentialHistogram) {
    for (const otlp::ExponentialPointView point : metric.exponential_points()) {
      ShownPoint& shown = show(point, static_cast<double>(point.count()));
      shown.sum = point.sum();
      shown.buckets = point.positive().counts;
      shown.scale = point.scale();
    }
  }
}

inline ShownPoints ShowRequest(std::string_view wire) {
  ShownPoints points;
  for (const auto resource : otlp::MetricsView(wire).resource_metrics()) {
    for (const auto scope : resource.scope_metrics()) {
      for (const auto metric : scope.metrics()) ShowMetric(metric, points);
    }
  }
  return points;
}

// Takes every batch of metrics, or answers as it is told. Thread-safe.
class MetricsSink final : public Consumer {
 public:
  void AnswerWith(Status status) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    answer_ = std::move(status);
  }
  void Consume(otlp::Batch batch, Done done) override ABSL_LOCKS_EXCLUDED(mutex_) {
    Status answer;
    {
      const MutexLock lock(mutex_);
      EXPECT_EQ(batch.signal(), otlp::Signal::kMetrics);
      batches_.push_back(std::move(batch));
      answer = answer_;
    }
    std::move(done)(std::move(answer));
  }
  // What has come since the last Take.
  std::vector<otlp::Batch> Take() ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    return std::exchange(batches_, {});
  }
  ShownPoints TakePoints() {
    ShownPoints points;
    for (const otlp::Batch& batch : Take()) points.merge(ShowRequest(batch.Encode().view()));
    return points;
  }
  bool AwaitBatches(size_t count) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    return mutex_.AwaitFor([&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return batches_.size() >= count; }, kPatience);
  }

 private:
  Mutex mutex_;
  Status answer_ ABSL_GUARDED_BY(mutex_);
  std::vector<otlp::Batch> batches_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace spanloom::pipeline
