// SPDX-License-Identifier: Apache-2.0

#include "base/metrics.h"

#include <absl/strings/str_replace.h>

#include <algorithm>

#include "base/check.h"
#include "base/mutex.h"
#include "base/text.h"

namespace spanloom {
namespace {

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
void RenderHistogram(std::string_view name, const MetricLabels& labels, const DurationHistogram& histogram,
                     std::string& page) {
  uint64_t count = 0;
  const std::vector<uint64_t> counts = histogram.counts();
  for (size_t i = 0; i < counts.size(); ++i) {
    count += counts[i];
    MetricLabels with_bound = labels;
    with_bound.emplace_back("le", i < histogram.bounds_s().size() ? StrCat(histogram.bounds_s()[i]) : "+Inf");
    StrAppend(page, name, "_bucket", LabelText(with_bound), " ", count, "\n");
  }
  StrAppend(page, name, "_sum", LabelText(labels), " ", histogram.sum_s(), "\n");
  StrAppend(page, name, "_count", LabelText(labels), " ", count, "\n");
}

double SumOf(const std::map<uint64_t, std::function<double()>>& gauges) {
  double sum = 0;
  for (const auto& [key, read] : gauges) sum += read();
  return sum;
}

}  // namespace

void DurationHistogram::Add(int64_t duration_ns) {
  const auto bound = std::lower_bound(bounds_s_.begin(), bounds_s_.end(), static_cast<double>(duration_ns) / 1e9);
  counts_[static_cast<size_t>(bound - bounds_s_.begin())].fetch_add(1, std::memory_order_relaxed);
  sum_ns_.fetch_add(duration_ns, std::memory_order_relaxed);
}

std::vector<uint64_t> DurationHistogram::counts() const {
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

DurationHistogram& MetricRegistry::GetHistogram(std::string_view name, std::string_view help,
                                                const std::vector<double>& bounds_s, const MetricLabels& labels) {
  const MutexLock lock(mutex_);
  Family& family = families_[std::string(name)];
  family.help = help;
  family.type = "histogram";
  std::unique_ptr<DurationHistogram>& histogram = family.histograms[labels];
  if (histogram == nullptr) histogram = std::make_unique<DurationHistogram>(bounds_s);
  return *histogram;
}

ScopedGauge MetricRegistry::AddGauge(std::string_view name, std::string_view help, const MetricLabels& labels,
                                     std::function<double()> read) {
  ScopedGauge gauge;
  gauge.registry_ = this;
  gauge.name_ = name;
  gauge.labels_ = labels;
  const MutexLock lock(mutex_);
  gauge.key_ = ++last_gauge_key_;
  Family& family = families_[gauge.name_];
  family.help = help;
  family.type = "gauge";
  family.gauges[labels][gauge.key_] = std::move(read);
  return gauge;
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

std::string MetricRegistry::Render() const {
  const MutexLock lock(mutex_);
  std::string page;
  for (const auto& [name, family] : families_) {
    StrAppend(page, "# HELP ", name, " ", family.help, "\n# TYPE ", name, " ", family.type, "\n");
    for (const auto& [labels, counter] : family.counters) {
      StrAppend(page, name, LabelText(labels), " ", counter->value(), "\n");
    }
    for (const auto& [labels, histogram] : family.histograms) RenderHistogram(name, labels, *histogram, page);
    for (const auto& [labels, gauges] : family.gauges) {
      StrAppend(page, name, LabelText(labels), " ", SumOf(gauges), "\n");
    }
  }
  return page;
}

}  // namespace spanloom
