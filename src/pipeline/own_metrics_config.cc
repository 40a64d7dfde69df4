// SPDX-License-Identifier: Apache-2.0

#include "pipeline/own_metrics_config.h"

#include <absl/algorithm/container.h>
#include <absl/strings/match.h>
#include <fnmatch.h>

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

void MetricReaderOptions::Declare(config::OptionsReader& r) {
  r.Field("pull", pull, "Who wants the metrics asks for them.");
  r.Unsupported("periodic",
                "write a pull reader with a prometheus exporter, and let Prometheus or a collector read it");
}

Status MetricReaderOptions::Validate() const {
  if (pull) return absl::OkStatus();
  return absl::InvalidArgumentError("must be a reader of pull");
}

void OwnMetricsOptions::Declare(config::OptionsReader& r) {
  r.Field("level", level, "none shows no metrics; basic, normal and detailed show all.");
  r.Field("address", address, "Old form of one prometheus reader, HOST:PORT; it stands in place of readers.");
  r.Field("readers", readers, "Pages with the metrics; one on port 8888 if it is left out.");
  r.Unsupported("views", "remove it; every metric is shown");
}

Status OwnMetricsOptions::Validate() const {
  for (const char* valid : {"none", "basic", "normal", "detailed"}) {
    if (absl::EqualsIgnoreCase(level, valid)) return absl::OkStatus();
  }
  return absl::InvalidArgumentError(StrCat("unknown level \"", level, "\" (valid: none, basic, normal, detailed)"));
}

std::vector<PrometheusReaderOptions> OwnMetricsOptions::Pages() const {
  if (absl::EqualsIgnoreCase(level, "none")) return {};
  if (!address.empty()) return {PrometheusReaderOptions{.address = address}};
  if (readers.empty()) return {PrometheusReaderOptions{}};
  std::vector<PrometheusReaderOptions> pages;
  for (const MetricReaderOptions& reader : readers) pages.push_back(*reader.pull->exporter.prometheus);
  return pages;
}

}  // namespace spanloom::pipeline
