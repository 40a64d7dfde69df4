// SPDX-License-Identifier: Apache-2.0
//
// service.telemetry.metrics: where the process shows its metrics, how they are named there, and where it sends them.
// The keys are those of the OpenTelemetry configuration schema 0.3 (MeterProvider), as the Collector reads them.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"
#include "pipeline/own_otlp_options.h"
#include "pipeline/own_views_config.h"
#include "sdk/otlp_sender.h"

namespace spanloom::pipeline {

// Which of the resource's attributes become labels.
struct ResourceLabelsOptions {
  std::vector<std::string> included = {};
  std::vector<std::string> excluded = {};
  void Declare(config::OptionsReader& r);
  // True if `attribute` is named by `included` (or that is empty) and not by `excluded`.
  [[nodiscard]] bool Takes(std::string_view attribute) const;
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

// Which values a report has: those since the process began, or those since the report before.
enum class MetricTemporality : uint8_t { kCumulative, kDelta, kLowMemory };

// Of an OTLP destination.
struct OwnMetricsOtlpOptions {
  OwnOtlpOptions otlp = {};
  MetricTemporality temporality_preference = MetricTemporality::kCumulative;
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const { return otlp.Validate(); }
};

struct PushExporterOptions {
  std::optional<OwnMetricsOtlpOptions> otlp = {};
  std::optional<OwnConsoleOptions> console = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct PeriodicReaderOptions {
  int64_t interval = 60'000;  // ms
  int64_t timeout = 30'000;   // ms
  PushExporterOptions exporter = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

// A destination that is sent the metrics now and then.
struct MetricsPush {
  std::chrono::milliseconds interval{0};
  std::chrono::milliseconds timeout{0};                    // of one report
  bool has_deltas = false;                                 // of counters and histograms
  std::optional<sdk::OtlpSenderOptions> destination = {};  // nullopt: standard output
};

struct MetricReaderOptions {
  std::optional<PullReaderOptions> pull = {};
  std::optional<PeriodicReaderOptions> periodic = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct OwnMetricsOptions {
  std::string level = "normal";
  std::string address = {};
  std::vector<MetricReaderOptions> readers = {};
  std::vector<OwnViewOptions> views = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;

  // The pages to serve: none for level none; one if no reader is named. The options are valid.
  [[nodiscard]] std::vector<PrometheusReaderOptions> Pages() const;
  // Whether calls and sizes of batches are counted too. The options are valid.
  [[nodiscard]] bool IsDetailed() const;
  // How they are shown and sent. The options are valid.
  [[nodiscard]] std::vector<MetricView> Views() const;
  // Where they are sent. The options are valid.
  [[nodiscard]] std::vector<MetricsPush> Pushes() const;
};

}  // namespace spanloom::pipeline
