// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/span_tally.h"

#include <absl/algorithm/container.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include "base/text.h"
#include "otlp/writer.h"
#include "pipeline/sampling/sampling_threshold.h"
#include "pipeline/sampling/sampling_trace_state.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kScopeName = "spanmetricsconnector";  // the Collector's
constexpr size_t kPointsPerLock = 500;                           // some 300 us of writing; guess
constexpr size_t kEvictedMin = 1'000;                            // resources that wait for their last points; guess
constexpr size_t kShortCutsPerResource = 4;                      // before they are forgotten; guess

std::string_view KindText(otlp::SpanKind kind) {
  constexpr std::array<std::string_view, 6> kTexts = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                                      "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                                      "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
  const auto index = static_cast<size_t>(kind);
  return index < kTexts.size() ? kTexts[index] : std::string_view();
}

std::string_view StatusText(otlp::StatusCode code) {
  constexpr std::array<std::string_view, 3> kTexts = {"STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"};
  const auto index = static_cast<size_t>(code);
  return index < kTexts.size() ? kTexts[index] : std::string_view();
}

// A series with the attributes that `write` writes.
Series MakeSeries(absl::FunctionRef<void(otlp::AttributeWriter&)> write, uint64_t now_unix_ns) {
  Series series;
  series.start_unix_ns = now_unix_ns;
  otlp::wire::Writer wire(series.attributes);
  otlp::AttributeWriter writer(wire, 1);
  write(writer);
  return series;
}

// How many spans one stands for, as its tracestate says. Remembers the last tracestate: spans of a trace have the same.
class AdjustedCounts {
 public:
  explicit AdjustedCounts(uint64_t seed) : rng_(seed) {}

  struct Count {
    uint64_t spans = 1;
    bool is_extrapolated = false;
  };

  // What is not whole is rounded at random, so that sums are right.
  Count Of(std::string_view trace_state) {
    if (trace_state.empty()) return {};
    if (trace_state != last_) {
      last_ = trace_state;
      weight_ = WeightOf(trace_state);
    }
    if (!weight_) return {};
    const double whole = std::floor(*weight_);
    const bool rounds_up = rng_.Unit() < *weight_ - whole;
    return {static_cast<uint64_t>(whole) + (rounds_up ? 1 : 0), true};
  }

 private:
  static std::optional<double> WeightOf(std::string_view trace_state) {
    const auto state = SamplingTraceState::Read(trace_state);
    if (!state.ok() || !state->threshold()) return std::nullopt;
    return 1 / ProbabilityOf(*state->threshold());
  }

  Rng rng_;
  std::string last_;
  std::optional<double> weight_;
};

}  // namespace

struct SpanTally::Resource {
  Resource(std::string resource_wire, SeriesLimits& limits)
      : wire(std::move(resource_wire)), calls(limits), durations(limits), events(limits) {}

  const std::string wire;
  std::atomic<int64_t> last_seen_ns = 0;
  Mutex mutex;
  SeriesTable calls ABSL_GUARDED_BY(mutex);  // with durations, unless these have other dimensions
  SeriesTable durations ABSL_GUARDED_BY(mutex);
  SeriesTable events ABSL_GUARDED_BY(mutex);
};

// Counts one batch. Holds the lock of the resource that it is in.
class SpanTally::Counting {
 public:
  Counting(SpanTally& tally, uint64_t seed)
      : tally_(tally),
        now_ns_(tally.clock_.SteadyNs()),
        now_unix_ns_(static_cast<uint64_t>(tally.clock_.UnixNs())),
        adjusted_(seed) {}
  ~Counting() { Leave(); }
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;

  void Add(const otlp::SpanContext& context) {
    if (!is_inside_ || context.resource.wire().data() != place_.data() ||
        context.resource.wire().size() != place_.size()) {
      Enter(context);
    }
    if (resource_ == nullptr) {
      ++skipped_;
      return;
    }
    AddSpan(context);
  }
  // The next span is of another request, whose bytes may lie where those of this one do.
  void Leave() {
    if (resource_ != nullptr) Unlock(*std::exchange(resource_, nullptr));
    is_inside_ = false;
  }
  [[nodiscard]] size_t skipped() const { return skipped_; }

 private:
  static void Lock(Resource& resource) ABSL_NO_THREAD_SAFETY_ANALYSIS { resource.mutex.Lock(); }
  static void Unlock(Resource& resource) ABSL_NO_THREAD_SAFETY_ANALYSIS { resource.mutex.Unlock(); }

  void Enter(const otlp::SpanContext& context) {
    Leave();
    is_inside_ = true;
    place_ = context.resource.wire();
    const auto service = FindAttribute(context.resource.attributes(), "service.name");
    if (!service) return;
    service_ = service->kind() == otlp::ValueView::Kind::kString ? service->string_value() : std::string_view();
    resource_ = tally_.ResourceOf(context.resource);
    resource_->last_seen_ns = now_ns_;
    calls_base_ = BaseOf(tally_.calls_dimensions_, context.resource);
    if (tally_.durations_apart_) duration_base_ = BaseOf(tally_.duration_dimensions_, context.resource);
    if (tally_.options_.events.enabled) event_base_ = BaseOf(tally_.event_dimensions_, context.resource);
    Lock(*resource_);
  }

  static SpanDimensions::Values BaseOf(const SpanDimensions& dimensions, const otlp::ResourceView& resource) {
    SpanDimensions::Values values = dimensions.Defaults();
    dimensions.Overlay<otlp::field::Resource::kAttributes>(resource.wire(), values);
    return values;
  }

  // The lock is held.
  void AddSpan(const otlp::SpanContext& context) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const otlp::SpanView& span = context.span;
    const SpanMetricsOptions& options = tally_.options_;
    count_ = adjusted_.Of(span.trace_state());
    duration_ = static_cast<double>(std::max<int64_t>(span.duration_ns(), 0)) / options.histogram.NsPerUnit();
    const bool has_durations = !options.histogram.disable;
    Series& calls = Find(context, tally_.calls_dimensions_, calls_base_, resource_->calls,
                         has_durations && !tally_.durations_apart_);
    calls.count += count_.spans;
    Observe(calls, span);
    if (has_durations && tally_.durations_apart_) {
      Observe(Find(context, tally_.duration_dimensions_, duration_base_, resource_->durations, true), span);
    }
    if (options.events.enabled) AddEvents(context);
  }

  void AddEvents(const otlp::SpanContext& context) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (const otlp::EventView event : context.span.events()) {
      SpanDimensions::Values base = event_base_;
      tally_.event_dimensions_.Overlay<otlp::field::Event::kAttributes>(event.wire(), base);
      Series& events = Find(context, tally_.event_dimensions_, base, resource_->events, false);
      events.count += count_.spans;
      Observe(events, context.span);
    }
  }

  void Observe(Series& series, const otlp::SpanView& span) {
    series.last_seen_ns = now_ns_;
    if (series.histogram) series.histogram->Add(tally_.shape_, duration_, count_.spans);
    const SpanExemplarsOptions& exemplars = tally_.options_.exemplars;
    if (!exemplars.enabled || span.trace_id().IsZero()) return;
    if (series.exemplars.size() >= static_cast<size_t>(exemplars.max_per_data_point)) return;
    series.exemplars.push_back({span.trace_id(), span.span_id(), duration_});
  }

  // The series of the span in `table`. The key is put together in a buffer that is kept, so that a span allocates
  // nothing.
  Series& Find(const otlp::SpanContext& context, const SpanDimensions& dimensions, const SpanDimensions::Values& base,
               SeriesTable& table, bool has_histogram) {
    const otlp::SpanView& span = context.span;
    const SpanMetricsOptions& options = tally_.options_;
    values_ = base;
    dimensions.Overlay<otlp::field::Span::kAttributes>(span.wire(), values_);
    const bool has_scope = HasScope(context.scope);
    key_.clear();
    key_.push_back(options.enable_metrics_sampling_method && count_.is_extrapolated ? '+' : '-');
    if (has_kind_) key_.push_back(static_cast<char>(span.kind()));
    if (has_status_) key_.push_back(static_cast<char>(span.status_code()));
    if (has_service_) AppendToKey(service_, key_);
    if (has_name_) AppendToKey(span.name(), key_);
    if (has_scope) {
      AppendToKey(context.scope.name(), key_);
      AppendToKey(context.scope.version(), key_);
    }
    dimensions.AppendKey(values_, key_);
    const auto make = [&](absl::FunctionRef<void(otlp::AttributeWriter&)> write) {
      Series series = MakeSeries(write, now_unix_ns_);
      if (has_histogram) series.histogram.emplace(tally_.shape_);
      return series;
    };
    return table.Find(
        key_,
        [&] {
          return make([&](otlp::AttributeWriter& writer) {
            WriteDefaults(span, writer);
            if (has_scope) {
              writer.String("span.instrumentation.scope.name", context.scope.name());
              if (!context.scope.version().empty()) {
                writer.String("span.instrumentation.scope.version", context.scope.version());
              }
            }
            dimensions.Write(values_, writer);
          });
        },
        [&] { return make([](otlp::AttributeWriter& writer) { writer.Bool("otel.metric.overflow", true); }); });
  }

  void WriteDefaults(const otlp::SpanView& span, otlp::AttributeWriter& writer) const {
    const SpanMetricsOptions& options = tally_.options_;
    if (has_service_) writer.String("service.name", service_);
    if (has_name_) writer.String("span.name", span.name());
    if (has_kind_) writer.String("span.kind", KindText(span.kind()));
    if (has_status_) writer.String("status.code", StatusText(span.status_code()));
    if (!tally_.instance_id_.empty() && options.Has("collector.instance.id")) {
      writer.String("collector.instance.id", tally_.instance_id_);
    }
    if (options.enable_metrics_sampling_method) {
      writer.String("sampling.method", count_.is_extrapolated ? "extrapolated" : "counted");
    }
  }

  [[nodiscard]] bool HasScope(const otlp::ScopeView& scope) const {
    const std::vector<std::string>& included = tally_.options_.include_instrumentation_scope;
    return !included.empty() && !scope.name().empty() && absl::c_linear_search(included, scope.name());
  }

  SpanTally& tally_;
  const int64_t now_ns_;
  const uint64_t now_unix_ns_;
  AdjustedCounts adjusted_;
  const bool has_service_ = tally_.options_.Has("service.name");
  const bool has_name_ = tally_.options_.Has("span.name");
  const bool has_kind_ = tally_.options_.Has("span.kind");
  const bool has_status_ = tally_.options_.Has("status.code");
  size_t skipped_ = 0;

  bool is_inside_ = false;  // place_ and what follows are of the span before
  std::string_view place_;
  std::shared_ptr<Resource> resource_;  // null: without a service.name. Shared with the tally, which may drop it
  std::string_view service_;
  SpanDimensions::Values calls_base_;
  SpanDimensions::Values duration_base_;
  SpanDimensions::Values event_base_;

  // Of the span that is counted.
  AdjustedCounts::Count count_;
  double duration_ = 0;
  SpanDimensions::Values values_;
  std::string key_;
};

// Some series of a table on their way into a request. The lock of their resource is held.
class SpanTally::TablePart {
 public:
  TablePart(const SpanTally& tally, SeriesTable& table, size_t begin, size_t end, const Moment& moment)
      : tally_(tally), table_(table), now_unix_ns_(moment.now_unix_ns), is_last_(moment.is_last) {
    for (size_t i = begin; i < end; ++i) {
      if (!tally.is_delta_ || table.at(i).is_active) due_.push_back(&table.at(i));
    }
  }
  [[nodiscard]] bool empty() const { return due_.empty(); }

  void WriteSums(std::string_view name, std::string_view description, otlp::MetricsWriter& writer) const {
    writer.BeginMetric({.name = name,
                        .description = description,
                        .kind = otlp::MetricKind::kSum,
                        .temporality = tally_.options_.aggregation_temporality,
                        .is_monotonic = true});
    for (Series* series : due_) {
      const bool begins = std::exchange(series->is_new, false) && !tally_.is_delta_ && !is_last_;
      writer.AddSum(
          TimesOf(*series), begins ? 0 : static_cast<int64_t>(series->count),
          [&](otlp::AttributeWriter& attributes) { series->WriteAttributes(attributes); }, series->exemplars);
    }
  }

  void WriteDurations(otlp::MetricsWriter& writer) const {
    writer.BeginMetric({.name = tally_.duration_name_,
                        .description = "How long spans took.",
                        .unit = tally_.options_.histogram.UnitText(),
                        .kind = tally_.shape_.kind(),
                        .temporality = tally_.options_.aggregation_temporality});
    for (const Series* series : due_) {
      series->histogram->Write(
          tally_.shape_, TimesOf(*series),
          [&](otlp::AttributeWriter& attributes) { series->WriteAttributes(attributes); }, series->exemplars, writer);
    }
  }

  // Once they are written.
  void Settle() {
    for (Series* series : due_) {
      series->exemplars.clear();
      if (tally_.is_delta_) table_.Reset(&tally_.shape_, *series, now_unix_ns_);
    }
  }

 private:
  [[nodiscard]] otlp::PointTimes TimesOf(const Series& series) const {
    return {.start_unix_ns = series.start_unix_ns, .time_unix_ns = now_unix_ns_};
  }

  const SpanTally& tally_;
  SeriesTable& table_;
  const uint64_t now_unix_ns_;
  const bool is_last_;
  std::vector<Series*> due_;
};

SpanTally::SpanTally(const SpanMetricsOptions& options, std::string instance_id, const Clock& clock, uint64_t seed)
    : options_(options),
      shape_(options.histogram.Shape()),
      instance_id_(std::move(instance_id)),
      clock_(clock),
      is_delta_(options.aggregation_temporality == otlp::Temporality::kDelta),
      durations_apart_(!options.calls_dimensions.empty() || !options.histogram.dimensions.empty()),
      calls_dimensions_(options.dimensions, options.calls_dimensions),
      duration_dimensions_(options.dimensions, options.histogram.dimensions),
      event_dimensions_(options.dimensions, options.events.dimensions),
      calls_name_(options.MetricName("calls")),
      duration_name_(options.MetricName("duration")),
      events_name_(options.MetricName("events")),
      next_seed_(seed) {
  limits_.active_max = static_cast<size_t>(options.aggregation_cardinality_limit);
}

SpanTally::~SpanTally() = default;

size_t SpanTally::Count(const otlp::Batch& batch) {
  Counting counting(*this, next_seed_.fetch_add(1));
  for (const otlp::Slice& slice : batch.slices()) {
    slice.ForEach([&](const otlp::SpanContext& context) { counting.Add(context); });
    counting.Leave();
  }
  return counting.skipped();
}

std::string SpanTally::KeyOf(const otlp::ResourceView& view) const {
  std::vector<std::pair<std::string_view, std::string_view>> attributes;
  for (const otlp::AttributeView attribute : view.attributes()) {
    const std::vector<std::string>& names = options_.resource_metrics_key_attributes;
    if (!names.empty() && !absl::c_linear_search(names, attribute.key())) continue;
    attributes.emplace_back(attribute.key(), attribute.value().wire());
  }
  absl::c_sort(attributes);
  std::string key;
  for (const auto& [name, value] : attributes) {
    AppendToKey(name, key);
    AppendToKey(value, key);
  }
  return key;
}

std::shared_ptr<SpanTally::Resource> SpanTally::ResourceOf(const otlp::ResourceView& view) {
  const MutexLock lock(mutex_);
  const auto known = by_wire_.find(AbslView(view.wire()));
  if (known != by_wire_.end()) return known->second;
  std::string key = KeyOf(view);
  auto resource = resources_.find(key);
  if (resource == resources_.end()) {
    MakeRoom();
    resource = resources_.emplace(std::move(key), std::make_shared<Resource>(std::string(view.wire()), limits_)).first;
  }
  if (by_wire_.size() >= kShortCutsPerResource * static_cast<size_t>(options_.resource_metrics_cache_size)) {
    by_wire_.clear();
  }
  by_wire_.emplace(view.wire(), resource->second);
  return resource->second;
}

void SpanTally::MakeRoom() {
  const auto size_max = static_cast<size_t>(options_.resource_metrics_cache_size);
  if (resources_.size() < size_max) return;
  const auto oldest = absl::c_min_element(
      resources_, [](const auto& a, const auto& b) { return a.second->last_seen_ns < b.second->last_seen_ns; });
  const std::shared_ptr<Resource> resource = oldest->second;
  resources_.erase(oldest);
  absl::erase_if(by_wire_, [&](const auto& entry) { return entry.second == resource; });
  evicted_.push_back(resource);
  if (evicted_.size() <= std::max(size_max, kEvictedMin)) return;
  // Somebody may be counting in it still: what is lost is about that many.
  const std::shared_ptr<Resource> lost = std::move(evicted_.front());
  evicted_.erase(evicted_.begin());
  const MutexLock lock(lost->mutex);
  lost_series_ += lost->calls.size() + lost->durations.size() + lost->events.size();
}

std::vector<MetricsRequest> SpanTally::Collect(bool is_last) {
  std::vector<std::shared_ptr<Resource>> resources;
  {
    const MutexLock lock(mutex_);
    resources = std::exchange(evicted_, {});
    for (const auto& [key, resource] : resources_) resources.push_back(resource);
  }
  const auto now_unix_ns = static_cast<uint64_t>(clock_.UnixNs());
  const int64_t now_ns = clock_.SteadyNs();
  MetricsRequests requests(kScopeName);
  for (const auto& resource : resources) {
    requests.BeginResource(resource->wire);
    CollectFrom(*resource, now_unix_ns, is_last, requests);
    DropEnded(*resource, now_ns);
  }
  DropEndedResources(now_ns);
  return requests.Take();
}

void SpanTally::CollectFrom(Resource& resource, uint64_t now_unix_ns, bool is_last,
                            MetricsRequests& requests) const ABSL_NO_THREAD_SAFETY_ANALYSIS {
  // The tables are named here and locked below.
  const Moment moment{now_unix_ns, is_last};
  const bool has_durations = !options_.histogram.disable;
  CollectTable(resource, resource.calls,
               {calls_name_, "How many spans there were.", has_durations && !durations_apart_}, moment, requests);
  if (durations_apart_ && has_durations) CollectTable(resource, resource.durations, {"", "", true}, moment, requests);
  if (options_.events.enabled)
    CollectTable(resource, resource.events, {events_name_, "How many events spans had.", false}, moment, requests);
}

// All metrics of a series are written under one lock, so that a count since the point before loses nothing; with very
// many series a metric comes in several parts.
void SpanTally::CollectTable(Resource& resource, SeriesTable& table, const TableMetrics& metrics, const Moment& moment,
                             MetricsRequests& requests) const {
  size_t begin = 0;
  for (size_t end = 0;; begin = end) {
    const MutexLock lock(resource.mutex);
    end = std::min(begin + kPointsPerLock, table.size());
    TablePart part(*this, table, begin, end, moment);
    if (part.empty()) {
      if (end == table.size()) return;
      continue;
    }
    otlp::MetricsWriter& writer = requests.writer();
    if (!metrics.sum.empty()) part.WriteSums(metrics.sum, metrics.description, writer);
    if (metrics.has_durations) part.WriteDurations(writer);
    part.Settle();
    if (end == table.size()) return;
  }
}

void SpanTally::DropEnded(Resource& resource, int64_t now_ns) const {
  const int64_t expiration_ns = options_.series_expiration.count();
  const MutexLock lock(resource.mutex);
  for (SeriesTable* table : {&resource.calls, &resource.durations, &resource.events}) {
    if (expiration_ns > 0) {
      table->EraseIf([&](const Series& series) { return now_ns - series.last_seen_ns >= expiration_ns; });
    }
    const auto idle_max = options_.IdleSeriesMax();
    if (!is_delta_ || table->size() <= idle_max) continue;
    std::vector<int64_t> seen;
    for (size_t i = 0; i < table->size(); ++i) seen.push_back(table->at(i).last_seen_ns);
    std::nth_element(seen.begin(), seen.begin() + static_cast<std::ptrdiff_t>(idle_max) - 1, seen.end(),
                     std::greater<>());
    size_t kept = 0;
    table->EraseIf([&](const Series& series) {
      return !series.is_active && (series.last_seen_ns < seen[idle_max - 1] || ++kept > idle_max);
    });
  }
}

void SpanTally::DropEndedResources(int64_t now_ns) {
  const int64_t expiration_ns = options_.metrics_expiration.count();
  if (expiration_ns == 0) return;
  const MutexLock lock(mutex_);
  const auto has_ended = [&](const auto& entry) { return now_ns - entry.second->last_seen_ns >= expiration_ns; };
  absl::erase_if(resources_, has_ended);
  absl::erase_if(by_wire_, has_ended);
}

}  // namespace spanloom::pipeline
