// SPDX-License-Identifier: Apache-2.0
//
// service.telemetry.metrics.views: which metrics of the process are left out, renamed, or shown with fewer labels. The
// keys are those of the OpenTelemetry configuration schema 0.3 (View), as the Collector reads them.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/metric_views.h"
#include "config/options.h"

namespace spanloom::pipeline {

struct ViewSelectorOptions {
  std::string instrument_name = {};
  std::string instrument_type = {};
  std::string unit = {};
  std::string meter_name = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct ViewDropOptions {
  void Declare(config::OptionsReader&) {}
};

struct ViewAggregationOptions {
  std::optional<ViewDropOptions> drop = {};
  std::optional<ViewDropOptions> as_it_is = {};  // "default"
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct ViewAttributeKeysOptions {
  std::vector<std::string> included = {};
  std::vector<std::string> excluded = {};
  void Declare(config::OptionsReader& r);
};

struct ViewStreamOptions {
  std::string name = {};
  std::string description = {};
  std::optional<ViewAggregationOptions> aggregation = {};
  ViewAttributeKeysOptions attribute_keys = {};
  void Declare(config::OptionsReader& r);
};

struct OwnViewOptions {
  ViewSelectorOptions selector = {};
  ViewStreamOptions stream = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;

  // The options are valid.
  [[nodiscard]] MetricView View() const;
};

}  // namespace spanloom::pipeline
