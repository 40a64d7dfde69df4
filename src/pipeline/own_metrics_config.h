// SPDX-License-Identifier: Apache-2.0
//
// service.telemetry.metrics: where the process shows its metrics, and how they are named there. The keys are those of
// the OpenTelemetry configuration schema 0.3 (MeterProvider), as the Collector reads them.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"

namespace spanloom::pipeline {

// Which of the resource's attributes become labels.
struct ResourceLabelsOptions {
  std::vector<std::string> included = {};
  std::vector<std::string> excluded = {};
  void Declare(config::OptionsReader& r);
  // True if `attribute` is named by `included` (or that is empty) and not by `excluded`.
  [[nodiscard]] bool Takes(std::string_view attribute) const;

  friend bool operator==(const ResourceLabelsOptions&, const ResourceLabelsOptions&) = default;
};

struct PrometheusReaderOptions {
  std::string host = {};     // "": that of listeners whose endpoint is not written out
  int64_t port = 8888;       // the Collector's
  std::string address = {};  // HOST:PORT in place of these two; of the old form
  // The names that the Collector's dashboards know: without suffixes, unless a file asks for them.
  bool without_type_suffix = true;
  bool without_units = true;
  bool without_scope_info = true;
  std::optional<ResourceLabelsOptions> with_resource_constant_labels = {};
  void Declare(config::OptionsReader& r);

  // As it was written; "" if no host was.
  [[nodiscard]] std::string Endpoint() const;

  friend bool operator==(const PrometheusReaderOptions&, const PrometheusReaderOptions&) = default;
};

struct PullExporterOptions {
  std::optional<PrometheusReaderOptions> prometheus = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct PullReaderOptions {
  PullExporterOptions exporter = {};
  void Declare(config::OptionsReader& r);
};

struct MetricReaderOptions {
  std::optional<PullReaderOptions> pull = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct OwnMetricsOptions {
  std::string level = "normal";
  std::string address = {};
  std::vector<MetricReaderOptions> readers = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;

  // The pages to serve: none for level none; one if no reader is named. The options are valid.
  [[nodiscard]] std::vector<PrometheusReaderOptions> Pages() const;
};

}  // namespace spanloom::pipeline
