// SPDX-License-Identifier: Apache-2.0

#include "base/metrics.h"

#include <absl/strings/str_replace.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/check.h"
#include "base/metric_views.h"
#include "base/mutex.h"
#include "base/text.h"

namespace spanloom {
namespace {

constexpr double kWholeMax = 9'007'199'254'740'992;  // 2^53: up to there every whole number is a double

// With all its digits: StrCat would leave six.
std::string Number(double value) {
  if (std::trunc(value) == value && std::abs(value) <= kWholeMax) return StrCat(static_cast<int64_t>(value));
  if (!std::isfinite(value)) return StrCat(value);
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

// Of a float's least digits that tell it apart, as prometheus_client 0.26 writes them (exposition.py, floatToGoString):
// repr(), but with an exponent from 10^6 on.
std::string PythonNumber(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  const double size = std::abs(value);
  const bool has_exponent = value >= 1e6 || size >= 1e16 || (value != 0 && size < 1e-4);
  std::array<char, 400> digits{};
  const auto format = has_exponent ? std::chars_format::scientific : std::chars_format::fixed;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, format).ptr;
  std::string text(digits.data(), end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string NumberText(double value, const MetricNaming& naming) {
  return naming.python_created_unix_s ? PythonNumber(value) : Number(value);
}

bool Contains(const MetricLabels& labels, const MetricLabels& wanted) {
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](const auto& label) { return std::find(labels.begin(), labels.end(), label) != labels.end(); });
}

std::string LabelText(const MetricLabels& labels) {
  if (labels.empty()) return "";
  std::string text = "{";
  for (const auto& [name, value] : labels) {
    const std::string escaped = absl::StrReplaceAll(value, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}});
    StrAppend(text, text.size() > 1 ? "," : "", name, "=\"", escaped, "\"");
  }
  return text + "}";
}

// The series of a histogram: counts add up from bound to bound.
void RenderHistogram(std::string_view name, const MetricLabels& labels, const MetricSnapshot::Series& histogram,
                     const MetricNaming& naming, std::string& page) {
  const auto bound_text = [&](double bound) {
    return naming.python_created_unix_s ? PythonNumber(bound) : StrCat(bound);
  };
  uint64_t count = 0;
  for (size_t i = 0; i < histogram.counts.size(); ++i) {
    count += histogram.counts[i];
    MetricLabels with_bound = labels;
    with_bound.emplace_back("le", i < histogram.bounds.size() ? bound_text(histogram.bounds[i]) : "+Inf");
    StrAppend(page, name, "_bucket", LabelText(with_bound), " ", NumberText(static_cast<double>(count), naming), "\n");
  }
  StrAppend(page, name, "_sum", LabelText(labels), " ", NumberText(histogram.sum, naming), "\n");
  StrAppend(page, name, "_count", LabelText(labels), " ", NumberText(static_cast<double>(count), naming), "\n");
}

MetricLabels ShownLabels(const MetricSnapshot::Series& series, const MetricNaming& naming) {
  MetricLabels labels = naming.labels;
  labels.insert(labels.end(), series.labels.begin(), series.labels.end());
  return labels;
}

// When each series of a counter or histogram began: a family of its own.
void RenderCreated(const MetricSnapshot& metric, std::string_view shown, const MetricNaming& naming,
                   std::string& page) {
  if (!naming.python_created_unix_s || metric.type == "gauge") return;
  if (shown.ends_with("_total")) shown.remove_suffix(std::string_view("_total").size());
  StrAppend(page, "# HELP ", shown, "_created ", metric.help, "\n# TYPE ", shown, "_created gauge\n");
  for (const MetricSnapshot::Series& series : metric.series) {
    StrAppend(page, shown, "_created", LabelText(ShownLabels(series, naming)), " ",
              PythonNumber(*naming.python_created_unix_s), "\n");
  }
}

std::string ShownName(std::string_view name, std::string_view unit, std::string_view type, const MetricNaming& naming) {
  std::string shown(name);
  if (naming.has_unit_suffix && !unit.empty()) StrAppend(shown, "_", unit);
  if (naming.has_type_suffix && type == "counter" && !shown.ends_with("_total")) shown += "_total";
  return shown;
}

double SumOf(const std::map<uint64_t, std::function<double()>>& gauges) {
  double sum = 0;
  for (const auto& [key, read] : gauges) sum += read();
  return sum;
}

}  // namespace

void Histogram::Add(double value) {
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  counts_[static_cast<size_t>(bound - bounds_.begin())].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::vector<uint64_t> Histogram::counts() const {
  std::vector<uint64_t> counts;
  for (const std::atomic<uint64_t>& count : counts_) counts.push_back(count.load(std::memory_order_relaxed));
  return counts;
}

Counter& MetricRegistry::GetCounter(std::string_view name, std::string_view help, const MetricLabels& labels) {
  const MutexLock lock(mutex_);
  Family& family = families_[std::string(name)];
  family.help = help;
  std::unique_ptr<Counter>& counter = family.counters[labels];
  if (counter == nullptr) counter = std::make_unique<Counter>();
  return *counter;
}

Histogram& MetricRegistry::GetHistogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                                        const MetricLabels& labels) {
  const MutexLock lock(mutex_);
  Family& family = families_[std::string(name)];
  family.help = help;
  family.type = "histogram";
  std::unique_ptr<Histogram>& histogram = family.histograms[labels];
  if (histogram == nullptr) histogram = std::make_unique<Histogram>(bounds);
  return *histogram;
}

ScopedGauge MetricRegistry::AddGauge(std::string_view name, std::string_view help, const MetricLabels& labels,
                                     std::function<double()> read) {
  return AddRead(name, help, labels, std::move(read), "gauge");
}

ScopedGauge MetricRegistry::AddReadCounter(std::string_view name, std::string_view help, const MetricLabels& labels,
                                           std::function<double()> read) {
  return AddRead(name, help, labels, std::move(read), "counter");
}

ScopedGauge MetricRegistry::AddRead(std::string_view name, std::string_view help, const MetricLabels& labels,
                                    std::function<double()> read, std::string_view type) {
  ScopedGauge gauge;
  gauge.registry_ = this;
  gauge.name_ = name;
  gauge.labels_ = labels;
  const MutexLock lock(mutex_);
  gauge.key_ = ++last_gauge_key_;
  Family& family = families_[gauge.name_];
  family.help = help;
  family.type = type;
  family.gauges[labels][gauge.key_] = std::move(read);
  return gauge;
}

void MetricRegistry::SetUnit(std::string_view name, std::string_view unit) {
  const MutexLock lock(mutex_);
  families_[std::string(name)].unit = unit;
}

void MetricRegistry::RemoveGauge(std::string_view name, const MetricLabels& labels, uint64_t key) {
  const MutexLock lock(mutex_);
  const auto family = families_.find(name);
  if (family == families_.end()) return;
  const auto gauges = family->second.gauges.find(labels);
  if (gauges == family->second.gauges.end()) return;
  gauges->second.erase(key);
  if (gauges->second.empty()) family->second.gauges.erase(gauges);
}

ScopedGauge& ScopedGauge::operator=(ScopedGauge&& other) noexcept {
  Remove();
  registry_ = std::exchange(other.registry_, nullptr);
  name_ = std::move(other.name_);
  labels_ = std::move(other.labels_);
  key_ = other.key_;
  return *this;
}

void ScopedGauge::Remove() {
  if (registry_ != nullptr) registry_->RemoveGauge(name_, labels_, key_);
}

uint64_t MetricRegistry::Sum(std::string_view name, const MetricLabels& labels) const {
  const MutexLock lock(mutex_);
  const auto family = families_.find(name);
  if (family == families_.end()) return 0;
  uint64_t sum = 0;
  for (const auto& [counter_labels, counter] : family->second.counters) {
    if (Contains(counter_labels, labels)) sum += counter->value();
  }
  return sum;
}

double MetricRegistry::SumGauges(std::string_view name, const MetricLabels& labels) const {
  const MutexLock lock(mutex_);
  const auto family = families_.find(name);
  if (family == families_.end()) return 0;
  double sum = 0;
  for (const auto& [gauge_labels, gauges] : family->second.gauges) {
    if (Contains(gauge_labels, labels)) sum += SumOf(gauges);
  }
  return sum;
}

std::vector<MetricSnapshot> MetricRegistry::Snapshot() const {
  const MutexLock lock(mutex_);
  std::vector<MetricSnapshot> snapshots;
  for (const auto& [name, family] : families_) {
    MetricSnapshot snapshot{.name = name, .help = family.help, .unit = family.unit, .type = family.type};
    for (const auto& [labels, counter] : family.counters) {
      snapshot.series.push_back({.labels = labels, .value = static_cast<double>(counter->value()), .is_whole = true});
    }
    for (const auto& [labels, histogram] : family.histograms) {
      snapshot.series.push_back(
          {.labels = labels, .bounds = histogram->bounds(), .counts = histogram->counts(), .sum = histogram->sum()});
    }
    for (const auto& [labels, gauges] : family.gauges) {
      snapshot.series.push_back({.labels = labels, .value = SumOf(gauges)});
    }
    if (!snapshot.series.empty()) snapshots.push_back(std::move(snapshot));
  }
  return snapshots;
}

std::string MetricRegistry::Render(const MetricNaming& naming) const {
  return RenderMetrics(Snapshot(), naming);
}

std::string RenderMetrics(const std::vector<MetricSnapshot>& metrics, const MetricNaming& naming) {
  std::string page;
  for (const MetricSnapshot& metric : metrics) {
    const std::string name = ShownName(metric.name, metric.unit, metric.type, naming);
    StrAppend(page, "# HELP ", name, " ", metric.help, "\n# TYPE ", name, " ", metric.type, "\n");
    for (const MetricSnapshot::Series& series : metric.series) {
      const MetricLabels labels = ShownLabels(series, naming);
      if (series.counts.empty()) {
        StrAppend(page, name, LabelText(labels), " ", NumberText(series.value, naming), "\n");
      } else {
        RenderHistogram(name, labels, series, naming, page);
      }
    }
    RenderCreated(metric, name, naming, page);
  }
  return page;
}

}  // namespace spanloom
