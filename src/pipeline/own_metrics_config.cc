// SPDX-License-Identifier: Apache-2.0

#include "pipeline/own_metrics_config.h"

#include <absl/algorithm/container.h>
#include <absl/strings/match.h>
#include <fnmatch.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "net/host_port.h"

namespace spanloom::pipeline {
namespace {

// `patterns` have * and ?.
bool Names(const std::vector<std::string>& patterns, std::string_view attribute) {
  const std::string name(attribute);
  return absl::c_any_of(patterns,
                        [&](const std::string& pattern) { return fnmatch(pattern.c_str(), name.c_str(), 0) == 0; });
}

}  // namespace

void ResourceLabelsOptions::Declare(config::OptionsReader& r) {
  r.Field("included", included, "Names of attributes, with * and ?; all if it is left out.");
  r.Field("excluded", excluded, "Names of attributes that are none of them, with * and ?.");
}

bool ResourceLabelsOptions::Takes(std::string_view attribute) const {
  return (included.empty() || Names(included, attribute)) && !Names(excluded, attribute);
}

void PrometheusReaderOptions::Declare(config::OptionsReader& r) {
  r.Field("host", host, "Host of the page; that of other listeners if it is left out.");
  r.Field("port", port, "Port of the page.", {.min = 0, .max = 65'535, .unit = "port"});
  r.Field("without_type_suffix", without_type_suffix, "Whether the names of counters stand without _total.");
  r.Field("without_units", without_units, "Whether names stand without the unit of their values.");
  r.Field("without_scope_info", without_scope_info, "Whether otel_scope_name and otel_scope_version are left out.");
  r.Field("with_resource_constant_labels", with_resource_constant_labels,
          "Attributes of the resource that every metric has as labels; none if it is left out.");
}

std::string PrometheusReaderOptions::Endpoint() const {
  if (!address.empty()) return address;
  return host.empty() ? "" : net::JoinHostPort(host, static_cast<uint16_t>(port));
}

void PullExporterOptions::Declare(config::OptionsReader& r) {
  r.Field("prometheus", prometheus, "A page that Prometheus reads, at /metrics.");
}

Status PullExporterOptions::Validate() const {
  if (prometheus) return absl::OkStatus();
  return absl::InvalidArgumentError("must name an exporter (valid: prometheus)");
}

void PullReaderOptions::Declare(config::OptionsReader& r) {
  r.Field("exporter", exporter, "How the metrics are shown.");
}

void OwnMetricsOtlpOptions::Declare(config::OptionsReader& r) {
  static constexpr std::pair<std::string_view, MetricTemporality> kTemporalities[] = {
      {"cumulative", MetricTemporality::kCumulative},
      {"delta", MetricTemporality::kDelta},
      {"lowmemory", MetricTemporality::kLowMemory}};
  otlp.Declare(r);
  r.Choice<MetricTemporality>("temporality_preference", temporality_preference, kTemporalities,
                              "Whether counters and histograms say everything so far, or, with delta and lowmemory, "
                              "what came since the last report that was delivered.");
  r.Unsupported("default_histogram_aggregation", "remove it; histograms have the bounds that they are counted by",
                "explicit_bucket_histogram");
}

void PushExporterOptions::Declare(config::OptionsReader& r) {
  r.Field("otlp", otlp, "An OTLP destination.");
  r.FieldOrDefaults("console", console, "Standard output, a line of OTLP/JSON for each report.");
}

Status PushExporterOptions::Validate() const {
  if (otlp.has_value() + console.has_value() == 1) return absl::OkStatus();
  return absl::InvalidArgumentError("must have one exporter (valid: otlp, console)");
}

void PeriodicReaderOptions::Declare(config::OptionsReader& r) {
  r.Field("interval", interval, "Time from one report to the next.", {.min = 10, .max = 86'400'000, .unit = "ms"});
  r.Field("timeout", timeout, "Longest time for a report; the next one says what it did not.",
          {.min = 1, .max = 3'600'000, .unit = "ms"});
  r.Field("exporter", exporter, "Where they go.");
}

Status PeriodicReaderOptions::Validate() const {
  return exporter.Validate();  // a missing section is not asked
}

void MetricReaderOptions::Declare(config::OptionsReader& r) {
  r.Field("pull", pull, "Who wants the metrics asks for them.");
  r.Field("periodic", periodic, "They are sent now and then.");
  r.Unsupported("producers", "remove it; there are no metrics but those of this process");
}

Status MetricReaderOptions::Validate() const {
  if (pull.has_value() + periodic.has_value() == 1) return absl::OkStatus();
  return absl::InvalidArgumentError("must be one reader of pull or periodic");
}

void OwnMetricsOptions::Declare(config::OptionsReader& r) {
  r.Field(
      "level", level,
      "none shows no metrics; normal shows all but what takes time to count, basic leaves out those of `batch` too. "
      "detailed has on top histograms of calls, of the work of processors and of the bytes of batches, and failures "
      "by error.");
  r.Field("address", address, "Old form of one prometheus reader, HOST:PORT; it stands in place of readers.");
  r.Field("readers", readers,
          "Pages with the metrics, and where they are sent; a page on port 8888 if it is left out.");
  r.Field(
      "views", views,
      "Which metrics are left out, renamed or shown with fewer labels, at level detailed; a metric that several views "
      "name is shown for each of them.");
}

Status OwnMetricsOptions::Validate() const {
  // The Collector's words.
  if (!views.empty() && !IsDetailed()) {
    return absl::InvalidArgumentError(
        "service::telemetry::metrics::views can only be set when service::telemetry::metrics::level is detailed");
  }
  for (const char* valid : {"none", "basic", "normal", "detailed"}) {
    if (absl::EqualsIgnoreCase(level, valid)) return absl::OkStatus();
  }
  return absl::InvalidArgumentError(StrCat("unknown level \"", level, "\" (valid: none, basic, normal, detailed)"));
}

bool OwnMetricsOptions::IsDetailed() const {
  return absl::EqualsIgnoreCase(level, "detailed");
}

std::vector<PrometheusReaderOptions> OwnMetricsOptions::Pages() const {
  if (absl::EqualsIgnoreCase(level, "none")) return {};
  if (!address.empty()) return {PrometheusReaderOptions{.address = address}};
  if (readers.empty()) return {PrometheusReaderOptions{}};
  std::vector<PrometheusReaderOptions> pages;
  for (const MetricReaderOptions& reader : readers) {
    if (reader.pull) pages.push_back(*reader.pull->exporter.prometheus);
  }
  return pages;
}

std::vector<MetricsPush> OwnMetricsOptions::Pushes() const {
  if (absl::EqualsIgnoreCase(level, "none")) return {};
  std::vector<MetricsPush> pushes;
  for (const MetricReaderOptions& reader : readers) {
    if (!reader.periodic) continue;
    MetricsPush& push = pushes.emplace_back();
    push.interval = std::chrono::milliseconds(reader.periodic->interval);
    push.timeout = std::chrono::milliseconds(reader.periodic->timeout);
    const std::optional<OwnMetricsOtlpOptions>& way_out = reader.periodic->exporter.otlp;
    if (!way_out) continue;
    push.has_deltas = way_out->temporality_preference != MetricTemporality::kCumulative;
    push.destination = way_out->otlp.Destination(otlp::Signal::kMetrics);
    push.destination->timeout = std::min(push.destination->timeout, push.timeout);
  }
  return pushes;
}

std::vector<MetricView> OwnMetricsOptions::Views() const {
  std::vector<MetricView> shown;
  // As in the Collector.
  if (absl::EqualsIgnoreCase(level, "basic")) {
    shown.push_back({.name_pattern = "otelcol_processor_batch_*", .is_dropped = true});
  }
  for (const OwnViewOptions& view : views) shown.push_back(view.View());
  return shown;
}

}  // namespace spanloom::pipeline
