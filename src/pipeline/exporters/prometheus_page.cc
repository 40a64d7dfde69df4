// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/prometheus_page.h"

#include <absl/algorithm/container.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "base/text.h"
#include "ottl/utf8.h"
#include "pipeline/processors/attribute_value.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kTargetInfo = "target_info";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
constexpr double kNsPerSecond = 1e9;
constexpr uint64_t kNsPerMs = 1'000'000;

// True if `character`, which ottl::Utf8Size found, is one of UTF-8.
bool IsCharacter(std::string_view character) {
  constexpr std::array<uint32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  const uint32_t rune = ottl::Utf8CodePoint(character);
  if (character.size() == 1) return rune < 0x80;
  return rune >= kLeast[character.size()] && rune <= 0x10ffff && (rune < 0xd800 || rune > 0xdfff);
}

// One bad byte would cost the whole scrape.
void AppendEscaped(std::string_view text, bool with_quotes, std::string& out) {
  while (!text.empty()) {
    const std::string_view character = text.substr(0, ottl::Utf8Size(text));
    text.remove_prefix(character.size());
    if (character == "\\") {
      out += "\\\\";
    } else if (character == "\n") {
      out += "\\n";
    } else if (character == "\"" && with_quotes) {
      out += "\\\"";
    } else {
      out += IsCharacter(character) ? character : kReplacement;
    }
  }
}

void AppendLabel(std::string_view name, std::string_view value, std::string& out) {
  StrAppend(out, out.empty() ? "" : ",", name, "=\"");
  AppendEscaped(value, true, out);
  out.push_back('"');
}

// The shortest text that reads back, with an exponent where Go's format g has one: below 1e-4 and from 1e6 on.
std::string NumberText(double value, bool as_open_metrics = false) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> digits;
  const double magnitude = std::abs(value);
  const bool has_exponent = magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e6);
  const auto format = has_exponent ? std::chars_format::scientific : std::chars_format::fixed;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, format).ptr;
  std::string text(digits.data(), end);
  if (as_open_metrics && text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::optional<std::string> Text(const otlp::ResourceView& resource, std::string_view key) {
  const auto value = FindAttribute(resource.attributes(), key);
  return value ? std::optional(ValueAsString(*value)) : std::nullopt;
}

std::optional<std::string> JobOf(const otlp::ResourceView& resource) {
  auto name = Text(resource, "service.name");
  const auto service_namespace = Text(resource, "service.namespace");
  return name && service_namespace ? StrCat(*service_namespace, "/", *name) : name;
}

bool IsServiceAttribute(std::string_view key) {
  return key == "service.name" || key == "service.namespace" || key == "service.instance.id";
}

}  // namespace

// Takes the metrics of one request in. The lock is held.
class PrometheusPage::Intake {
 public:
  Intake(PrometheusPage& page, std::map<std::string, Family>& families, size_t& series)
      : page_(page), families_(families), series_(series), now_ns_(page.clock_.SteadyNs()) {}

  void Add(const otlp::MetricsView& metrics) {
    for (const otlp::ResourceMetricsView resource : metrics.resource_metrics()) {
      BeginResource(resource.resource());
      for (const otlp::ScopeMetricsView scope : resource.scope_metrics()) {
        BeginScope(scope);
        for (const otlp::MetricView metric : scope.metrics()) AddMetric(metric);
      }
    }
  }
  [[nodiscard]] const Refused& refused() const { return refused_; }

 private:
  // Names that become one share a label, whose values are joined (specification).
  static void Put(std::string_view name, std::string value, Labels& labels) {
    const auto [label, is_new] = labels.try_emplace(PrometheusLabelName(name), value);
    if (!is_new) StrAppend(label->second, ";", value);
  }
  static std::string TextOf(const Labels& labels) {
    std::string text;
    for (const auto& [name, value] : labels) AppendLabel(name, value, text);
    return text;
  }

  void BeginResource(const otlp::ResourceView& resource) {
    resource_ = resource;
    job_ = JobOf(resource);
    instance_ = Text(resource, "service.instance.id");
    if (!job_ || !instance_ || job_->empty() || instance_->empty()) return;
    Labels labels;
    for (const otlp::AttributeView attribute : resource.attributes()) {
      if (!IsServiceAttribute(attribute.key())) Put(attribute.key(), ValueAsString(attribute.value()), labels);
    }
    labels["job"] = *job_;
    labels["instance"] = *instance_;
    const std::string& prefix = page_.options_.prefix;
    const std::string name =
        prefix.empty() ? std::string(kTargetInfo) : StrCat(PrometheusLabelName(prefix), "_", kTargetInfo);
    if (Sample* sample = Find(name, "gauge", "Target metadata", TextOf(labels))) sample->value = 1;
  }

  void BeginScope(const otlp::ScopeMetricsView& view) {
    scope_labels_.clear();
    for (const auto& [name, value] : page_.options_.labels) Put(name, value, scope_labels_);
    if (job_) scope_labels_["job"] = *job_;
    if (instance_) scope_labels_["instance"] = *instance_;
    if (!page_.options_.has_scope) return;
    const otlp::ScopeView scope = view.scope();
    for (const otlp::AttributeView attribute : scope.attributes()) {
      Put(StrCat("otel_scope_", attribute.key()), ValueAsString(attribute.value()), scope_labels_);
    }
    scope_labels_["otel_scope_name"] = scope.name();
    scope_labels_["otel_scope_version"] = scope.version();
    scope_labels_["otel_scope_schema_url"] = view.schema_url();
  }

  template <typename Attributes>
  std::string LabelsOf(const Attributes& attributes) const {
    Labels labels;
    for (const otlp::AttributeView attribute : attributes) {
      Put(attribute.key(), ValueAsString(attribute.value()), labels);
    }
    if (page_.options_.has_resource) {
      for (const otlp::AttributeView attribute : resource_.attributes()) {
        if (!page_.options_.has_service_attributes && IsServiceAttribute(attribute.key())) continue;
        labels[PrometheusLabelName(attribute.key())] = ValueAsString(attribute.value());
      }
    }
    // What the page adds goes before what a point says.
    for (const auto& [name, value] : scope_labels_) labels[name] = value;
    return TextOf(labels);
  }

  void AddMetric(const otlp::MetricView& metric) {
    switch (metric.kind()) {
      case otlp::MetricKind::kGauge:
        return AddNumbers(metric, "gauge", PrometheusKind::kGauge);
      case otlp::MetricKind::kSum:
        return AddNumbers(metric, metric.is_monotonic() ? "counter" : "gauge",
                          metric.is_monotonic() ? PrometheusKind::kCounter : PrometheusKind::kOther);
      case otlp::MetricKind::kHistogram:
        return AddHistograms(metric);
      case otlp::MetricKind::kExponentialHistogram:
        return AddExponentials(metric);
      case otlp::MetricKind::kSummary:
        return AddSummaries(metric);
      case otlp::MetricKind::kNone:
        return;
    }
  }

  // The series with these labels, made if there is none; null if it may not be.
  Sample* Find(const std::string& name, std::string_view type, std::string_view help, const std::string& labels) {
    if (name.empty()) return ++refused_.unsupported, nullptr;
    const auto family = families_.find(name);
    if (family != families_.end()) {
      if (family->second.type != type) return ++refused_.conflicting, nullptr;
      const auto sample = family->second.samples.find(labels);
      if (sample != family->second.samples.end()) return Touch(sample->second);
    }
    if (series_ >= page_.options_.series_max) return ++refused_.too_many, nullptr;
    ++series_;
    Family& found = family != families_.end() ? family->second : families_[name];
    if (found.samples.empty()) {
      found.type = type;
      found.help = help;
    }
    return Touch(found.samples[labels]);
  }
  Sample* Touch(Sample& sample) const {
    sample.updated_ns = now_ns_;
    return &sample;
  }

  void Erase(const std::string& name, const std::string& labels) {
    const auto family = families_.find(name);
    if (family == families_.end()) return;
    series_ -= family->second.samples.erase(labels);
    if (family->second.samples.empty()) families_.erase(family);
  }

  // The series of a point that is to be written into it; null if the point is late, ends its series or is refused.
  template <typename Point>
  Sample* FindFor(const otlp::MetricView& metric, std::string_view type, PrometheusKind kind, const Point& point) {
    const std::string name =
        PrometheusMetricName(metric.name(), metric.unit(), kind, page_.options_.prefix, page_.options_.has_suffixes);
    const std::string labels = LabelsOf(point.attributes());
    if ((point.times().flags & otlp::kNoRecordedValue) != 0) return Erase(name, labels), nullptr;
    Sample* const sample = Find(name, type, metric.description(), labels);
    return sample == nullptr || point.times().time_unix_ns < sample->times.time_unix_ns ? nullptr : sample;
  }

  // True if the point counts on from what the sample has; its start is the sample's then.
  static bool GoesOn(const otlp::MetricView& metric, const Sample& sample, otlp::PointTimes& times) {
    if (metric.temporality() != otlp::Temporality::kDelta || times.start_unix_ns != sample.times.time_unix_ns ||
        sample.times.time_unix_ns == 0) {
      return false;
    }
    times.start_unix_ns = sample.times.start_unix_ns;
    return true;
  }

  void AddNumbers(const otlp::MetricView& metric, std::string_view type, PrometheusKind kind) {
    const bool is_sum = metric.kind() == otlp::MetricKind::kSum;
    if (is_sum && (metric.temporality() == otlp::Temporality::kUnspecified ||
                   (metric.temporality() == otlp::Temporality::kDelta && !metric.is_monotonic()))) {
      refused_.unsupported += metric.number_points().Count();
      return;
    }
    for (const otlp::NumberPointView point : metric.number_points()) {
      Sample* const sample = FindFor(metric, type, kind, point);
      if (sample == nullptr) continue;
      otlp::PointTimes times = point.times();
      sample->value = point.value() + (is_sum && GoesOn(metric, *sample, times) ? sample->value : 0);
      sample->times = times;
      KeepExemplars(point.exemplars(), *sample);
    }
  }

  void AddHistograms(const otlp::MetricView& metric) {
    if (RefusesTemporality(metric, metric.histogram_points().Count())) return;
    for (const otlp::HistogramPointView point : metric.histogram_points()) {
      Sample* const sample = FindFor(metric, "histogram", PrometheusKind::kOther, point);
      if (sample == nullptr) continue;
      std::vector<uint64_t> buckets = point.bucket_counts();
      std::vector<double> bounds = point.bounds();
      otlp::PointTimes times = point.times();
      const bool goes_on =
          GoesOn(metric, *sample, times) && bounds == sample->bounds && buckets.size() == sample->buckets.size();
      for (size_t i = 0; goes_on && i < buckets.size(); ++i) buckets[i] += sample->buckets[i];
      sample->count = point.count() + (goes_on ? sample->count : 0);
      sample->sum = point.sum() + (goes_on ? sample->sum : 0);
      if (bounds != sample->bounds) sample->exemplars.clear();
      sample->bounds = std::move(bounds);
      sample->buckets = std::move(buckets);
      sample->times = times;
      KeepExemplars(point.exemplars(), *sample);
    }
  }

  // In text there are no native histograms: what is left is their count and sum, as the Collector's page has them.
  void AddExponentials(const otlp::MetricView& metric) {
    if (RefusesTemporality(metric, metric.exponential_points().Count())) return;
    for (const otlp::ExponentialPointView point : metric.exponential_points()) {
      Sample* const sample = FindFor(metric, "histogram", PrometheusKind::kOther, point);
      if (sample == nullptr) continue;
      otlp::PointTimes times = point.times();
      const bool goes_on = GoesOn(metric, *sample, times);
      sample->count = point.count() + (goes_on ? sample->count : 0);
      sample->sum = point.sum() + (goes_on ? sample->sum : 0);
      sample->times = times;
    }
  }

  void AddSummaries(const otlp::MetricView& metric) {
    for (const otlp::SummaryPointView point : metric.summary_points()) {
      Sample* const sample = FindFor(metric, "summary", PrometheusKind::kOther, point);
      if (sample == nullptr) continue;
      sample->count = point.count();
      sample->sum = point.sum();
      sample->quantiles.clear();
      for (const otlp::QuantileView each : point.quantiles()) {
        sample->quantiles.emplace_back(each.quantile(), each.value());
      }
      absl::c_sort(sample->quantiles);
      sample->times = point.times();
    }
  }

  bool RefusesTemporality(const otlp::MetricView& metric, size_t points) {
    if (metric.temporality() != otlp::Temporality::kUnspecified) return false;
    refused_.unsupported += points;
    return true;
  }

  // One a bucket, the last one. It stays until another takes its place, as in Prometheus' own libraries: points may
  // come more often than a scrape.
  template <typename Exemplars>
  static void KeepExemplars(const Exemplars& exemplars, Sample& sample) {
    const auto bucket_of = [&](double value) { return absl::c_lower_bound(sample.bounds, value); };
    for (const otlp::ExemplarView view : exemplars) {
      const auto bucket = bucket_of(view.value());
      const auto before = absl::c_find_if(
          sample.exemplars, [&](const Exemplar& exemplar) { return bucket_of(exemplar.value) == bucket; });
      Exemplar& exemplar = before == sample.exemplars.end() ? sample.exemplars.emplace_back() : *before;
      exemplar = {.value = view.value(), .time_unix_ns = view.time_unix_ns(), .labels = ""};
      if (!view.trace_id().IsZero()) AppendLabel("trace_id", view.trace_id().Hex(), exemplar.labels);
      if (!view.span_id().IsZero()) AppendLabel("span_id", view.span_id().Hex(), exemplar.labels);
    }
  }

  PrometheusPage& page_;
  std::map<std::string, Family>& families_;
  size_t& series_;
  const int64_t now_ns_;
  Refused refused_;

  otlp::ResourceView resource_;
  std::optional<std::string> job_;
  std::optional<std::string> instance_;
  Labels scope_labels_;  // with those of the page and of the resource
};

// Writes families. The lock is held.
class PrometheusPage::Printer {
 public:
  Printer(bool as_open_metrics, bool has_timestamps)
      : as_open_metrics_(as_open_metrics), has_timestamps_(has_timestamps) {}

  void Print(const std::string& name, const Family& family) {
    // OpenMetrics: a counter is named without the suffix that its samples have.
    const bool is_open_counter = as_open_metrics_ && family.type == "counter";
    std::string_view base = name;
    if (is_open_counter && base.ends_with("_total")) base.remove_suffix(std::string_view("_total").size());
    StrAppend(page_, "# HELP ", base, " ");
    AppendEscaped(family.help, as_open_metrics_, page_);
    StrAppend(page_, "\n# TYPE ", base, " ", family.type, "\n");
    for (const auto& [labels, sample] : family.samples) {
      if (family.type == "histogram") {
        PrintHistogram(name, labels, sample);
      } else if (family.type == "summary") {
        PrintSummary(name, labels, sample);
      } else {
        Line(is_open_counter ? StrCat(base, "_total") : name, labels, Number(sample.value), sample,
             is_open_counter && !sample.exemplars.empty() ? &sample.exemplars.back() : nullptr);
      }
    }
  }
  std::string Take() {
    if (as_open_metrics_) page_ += "# EOF\n";
    return std::move(page_);
  }

 private:
  [[nodiscard]] std::string Number(double value) const { return NumberText(value, as_open_metrics_); }

  void PrintHistogram(const std::string& name, const std::string& labels, const Sample& sample) {
    uint64_t below = 0;
    double least = -std::numeric_limits<double>::infinity();
    const std::string bucket = name + "_bucket";
    for (size_t i = 0; i < sample.bounds.size() && i < sample.buckets.size(); ++i) {
      below += sample.buckets[i];
      Bucket(bucket, labels, sample.bounds[i], least, below, sample);
      least = sample.bounds[i];
    }
    Bucket(bucket, labels, std::numeric_limits<double>::infinity(), least, sample.count, sample);
    Line(name + "_sum", labels, Number(sample.sum), sample);
    Line(name + "_count", labels, StrCat(sample.count), sample);
  }

  void Bucket(const std::string& name, std::string labels, double bound, double least, uint64_t below,
              const Sample& sample) {
    AppendLabel("le", Number(bound), labels);
    const Exemplar* exemplar = nullptr;
    for (const Exemplar& each : sample.exemplars) {
      if (as_open_metrics_ && each.value <= bound && each.value > least) exemplar = &each;
    }
    Line(name, labels, StrCat(below), sample, exemplar);
  }

  void PrintSummary(const std::string& name, const std::string& labels, const Sample& sample) {
    for (const auto& [quantile, value] : sample.quantiles) {
      std::string with_quantile = labels;
      AppendLabel("quantile", Number(quantile), with_quantile);
      Line(name, with_quantile, Number(value), sample);
    }
    Line(name + "_sum", labels, Number(sample.sum), sample);
    Line(name + "_count", labels, StrCat(sample.count), sample);
  }

  void Line(std::string_view name, std::string_view labels, std::string_view value, const Sample& sample,
            const Exemplar* exemplar = nullptr) {
    StrAppend(page_, name);
    if (!labels.empty()) StrAppend(page_, "{", labels, "}");
    StrAppend(page_, " ", value);
    if (has_timestamps_ && sample.times.time_unix_ns != 0) StrAppend(page_, " ", TimeText(sample.times.time_unix_ns));
    if (exemplar != nullptr) {
      StrAppend(page_, " # {", exemplar->labels, "} ", Number(exemplar->value));
      if (exemplar->time_unix_ns != 0) StrAppend(page_, " ", TimeText(exemplar->time_unix_ns));
    }
    page_.push_back('\n');
  }

  // Milliseconds, or in OpenMetrics seconds.
  [[nodiscard]] std::string TimeText(uint64_t unix_ns) const {
    if (!as_open_metrics_) return StrCat(unix_ns / kNsPerMs);
    std::array<char, 40> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(),
                                   static_cast<double>(unix_ns) / kNsPerSecond, std::chars_format::fixed, 3)
                         .ptr;
    return {digits.data(), end};
  }

  const bool as_open_metrics_;
  const bool has_timestamps_;
  std::string page_;
};

PrometheusPage::PrometheusPage(PrometheusPageOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock) {}

PrometheusPage::Refused PrometheusPage::Add(const otlp::MetricsView& metrics) {
  const MutexLock lock(mutex_);
  Intake intake(*this, families_, series_);
  intake.Add(metrics);
  return intake.refused();
}

std::string PrometheusPage::Render(bool as_open_metrics) {
  const MutexLock lock(mutex_);
  Expire(clock_.SteadyNs());
  Printer printer(as_open_metrics, options_.has_timestamps);
  for (const auto& [name, family] : families_) printer.Print(name, family);
  return printer.Take();
}

void PrometheusPage::Expire(int64_t now_ns) {
  for (auto& [name, family] : families_) {
    series_ -= std::erase_if(family.samples, [&](const auto& entry) {
      return now_ns - entry.second.updated_ns > options_.expiration.count();
    });
  }
  std::erase_if(families_, [](const auto& entry) { return entry.second.samples.empty(); });
}

size_t PrometheusPage::series_count() const {
  const MutexLock lock(mutex_);
  return series_;
}

}  // namespace spanloom::pipeline
