// SPDX-License-Identifier: Apache-2.0
//
// Our own counters and gauges. They are made once per component and label set, bumped without a lock, and rendered as
// Prometheus text for /metrics.

#pragma once

#include <absl/base/thread_annotations.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace spanloom {

using MetricLabels = std::vector<std::pair<std::string, std::string>>;  // in the order they are shown

// A value that only grows. Thread-safe.
class Counter {
 public:
  void Add(uint64_t count) { value_.fetch_add(count, std::memory_order_relaxed); }
  [[nodiscard]] uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_ = 0;
};

// Values that are counted by bounds: how long something took, in seconds, or how large it was. Thread-safe.
class Histogram {
 public:
  // `bounds`: upper ones, ascending; larger values are counted too.
  explicit Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

  void Add(double value);
  // A duration, in a histogram of seconds.
  void AddNs(int64_t duration_ns) { Add(static_cast<double>(duration_ns) / 1e9); }

  [[nodiscard]] const std::vector<double>& bounds() const { return bounds_; }
  // [bounds + 1]: how many were at most that, and above the bound before; the last: above all bounds.
  [[nodiscard]] std::vector<uint64_t> counts() const;
  [[nodiscard]] double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  const std::vector<double> bounds_;
  std::vector<std::atomic<uint64_t>> counts_;
  std::atomic<double> sum_ = 0;
};

// How a page names metrics.
struct MetricNaming {
  bool has_type_suffix = false;  // counters end in _total
  bool has_unit_suffix = false;  // names end in the unit that was given for them
  MetricLabels labels = {};      // of every metric, before its own
  // As Python's prometheus_client writes it: every number has a point or an exponent (`le="1.0"`, 1e+06), and each
  // counter and histogram a gauge NAME_created with when it began, for which this stands, in seconds since 1970.
  std::optional<double> python_created_unix_s = std::nullopt;
};

// What the series of one name say at a moment.
struct MetricSnapshot {
  struct Series {
    MetricLabels labels = {};
    double value = 0;                   // of a counter or gauge
    bool is_whole = false;              // a counter that goes by ones: its value is an integer
    std::vector<double> bounds = {};    // of a histogram, as the next two
    std::vector<uint64_t> counts = {};  // [bounds + 1]
    double sum = 0;
  };
  std::string name = {};
  std::string help = {};
  std::string unit = {};
  std::string_view type = {};  // "counter", "gauge", "histogram"
  std::vector<Series> series = {};
};

class MetricRegistry;

// A gauge that is on the page as long as this lives. Movable; must not outlive the registry. Thread-compatible.
class ScopedGauge {
 public:
  ScopedGauge() = default;
  ScopedGauge(ScopedGauge&& other) noexcept { *this = std::move(other); }
  ScopedGauge& operator=(ScopedGauge&& other) noexcept;
  ~ScopedGauge() { Remove(); }

 private:
  friend class MetricRegistry;
  void Remove();

  MetricRegistry* registry_ = nullptr;  // null: no gauge
  std::string name_;
  MetricLabels labels_;
  uint64_t key_ = 0;
};

// Thread-safe. Handles live as long as the registry.
class MetricRegistry {
 public:
  // The counter of this name and label set; made on first use, the same one afterwards. `help` is one sentence.
  Counter& GetCounter(std::string_view name, std::string_view help, const MetricLabels& labels = {})
      ABSL_LOCKS_EXCLUDED(mutex_);

  // The same of a histogram, whose bounds are those of the first call.
  Histogram& GetHistogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                          const MetricLabels& labels = {}) ABSL_LOCKS_EXCLUDED(mutex_);

  // A gauge whose value is asked for when the page is rendered. `read` is called from any thread and must be quick; it
  // must stay callable while the result lives. Gauges of one name and label set add up, since an owner may overlap with
  // its successor.
  [[nodiscard]] ScopedGauge AddGauge(std::string_view name, std::string_view help, const MetricLabels& labels,
                                     std::function<double()> read) ABSL_LOCKS_EXCLUDED(mutex_);

  // A counter that somebody else counts: the same, but shown as one.
  [[nodiscard]] ScopedGauge AddReadCounter(std::string_view name, std::string_view help, const MetricLabels& labels,
                                           std::function<double()> read) ABSL_LOCKS_EXCLUDED(mutex_);

  // Whether what takes time to count is counted too: calls of servers and clients, bytes of batches. To be set before
  // the components that ask are made.
  void SetDetailed(bool is_detailed) { is_detailed_ = is_detailed; }
  [[nodiscard]] bool is_detailed() const { return is_detailed_; }

  // The unit of the metric, as a suffix: "bytes". For names that do not say it.
  void SetUnit(std::string_view name, std::string_view unit) ABSL_LOCKS_EXCLUDED(mutex_);

  // Sum of all counters of this name whose labels contain `labels`. For tests and the status page.
  [[nodiscard]] uint64_t Sum(std::string_view name, const MetricLabels& labels = {}) const ABSL_LOCKS_EXCLUDED(mutex_);

  // Sum of all gauges of this name whose labels contain `labels`.
  [[nodiscard]] double SumGauges(std::string_view name, const MetricLabels& labels = {}) const
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Everything, sorted by name and labels.
  [[nodiscard]] std::vector<MetricSnapshot> Snapshot() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Prometheus text exposition format 0.0.4, families sorted by name.
  [[nodiscard]] std::string Render(const MetricNaming& naming = {}) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Family {
    std::string help;
    std::string_view type = "counter";  // of Prometheus
    std::string unit = {};              // that the name does not say; or ""
    std::map<MetricLabels, std::unique_ptr<Counter>> counters;
    std::map<MetricLabels, std::unique_ptr<Histogram>> histograms;
    std::map<MetricLabels, std::map<uint64_t, std::function<double()>>> gauges;  // of one label set by key
  };
  friend class ScopedGauge;

  ScopedGauge AddRead(std::string_view name, std::string_view help, const MetricLabels& labels,
                      std::function<double()> read, std::string_view type) ABSL_LOCKS_EXCLUDED(mutex_);
  void RemoveGauge(std::string_view name, const MetricLabels& labels, uint64_t key) ABSL_LOCKS_EXCLUDED(mutex_);

  std::atomic<bool> is_detailed_ = false;
  mutable Mutex mutex_;
  std::map<std::string, Family, std::less<>> families_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_gauge_key_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace spanloom
