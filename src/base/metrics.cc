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

}  // namespace

Counter& MetricRegistry::GetCounter(std::string_view name, std::string_view help, const MetricLabels& labels) {
  const MutexLock lock(mutex_);
  Family& family = families_[std::string(name)];
  family.help = help;
  std::unique_ptr<Counter>& counter = family.counters[labels];
  if (counter == nullptr) counter = std::make_unique<Counter>();
  return *counter;
}

void MetricRegistry::SetGauge(std::string_view name, std::string_view help, const MetricLabels& labels,
                              std::function<double()> read) {
  const MutexLock lock(mutex_);
  Family& family = families_[std::string(name)];
  family.help = help;
  family.is_counter = false;
  family.gauges[labels] = std::move(read);
}

void MetricRegistry::RemoveGauge(std::string_view name, const MetricLabels& labels) {
  const MutexLock lock(mutex_);
  const auto family = families_.find(name);
  if (family != families_.end()) family->second.gauges.erase(labels);
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

std::string MetricRegistry::Render() const {
  const MutexLock lock(mutex_);
  std::string page;
  for (const auto& [name, family] : families_) {
    StrAppend(page, "# HELP ", name, " ", family.help, "\n# TYPE ", name,
              family.is_counter ? " counter\n" : " gauge\n");
    for (const auto& [labels, counter] : family.counters) {
      StrAppend(page, name, LabelText(labels), " ", counter->value(), "\n");
    }
    for (const auto& [labels, read] : family.gauges) {
      StrAppend(page, name, LabelText(labels), " ", read(), "\n");
    }
  }
  return page;
}

}  // namespace spanloom
