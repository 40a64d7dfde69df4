// SPDX-License-Identifier: Apache-2.0

#include "pipeline/own_views_config.h"

#include <absl/algorithm/container.h>

#include <string_view>
#include <utility>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

// What an instrument is on a page.
constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {"counter", "counter"},       {"observable_counter", "counter"},       {"histogram", "histogram"},
    {"up_down_counter", "gauge"}, {"observable_up_down_counter", "gauge"}, {"gauge", "gauge"},
    {"observable_gauge", "gauge"}};

}  // namespace

void ViewSelectorOptions::Declare(config::OptionsReader& r) {
  r.Field("instrument_name", instrument_name, "Names of metrics, with * and ?.");
  r.Field("instrument_type", instrument_type,
          "counter, observable_counter, up_down_counter, observable_up_down_counter, gauge, observable_gauge or "
          "histogram; of the middle four one is as good as the other.");
  r.Field("unit", unit, "Unit of their values, such as s or By.");
  r.Field("meter_name", meter_name,
          "The Collector's name for what counts them, with * and ?, such as "
          "go.opentelemetry.io/collector/exporter/exporterhelper.");
  r.Unsupported("meter_version", "remove it; write meter_name or instrument_name");
  r.Unsupported("meter_schema_url", "remove it; write meter_name or instrument_name");
}

Status ViewSelectorOptions::Validate() const {
  if (instrument_name.empty() && instrument_type.empty() && unit.empty() && meter_name.empty()) {
    return absl::InvalidArgumentError(
        "must say which metrics, by instrument_name, instrument_type, unit or meter_name");
  }
  if (instrument_type.empty() ||
      absl::c_any_of(kTypes, [&](const auto& type) { return type.first == instrument_type; })) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(StrCat("unknown instrument_type \"", instrument_type, "\""));
}

void ViewAggregationOptions::Declare(config::OptionsReader& r) {
  r.FieldOrDefaults("drop", drop, "They are left out.");
  r.FieldOrDefaults("default", as_it_is, "They are counted as ever.");
  for (const char* name : {"explicit_bucket_histogram", "base2_exponential_bucket_histogram"}) {
    r.Unsupported(name, "remove it; histograms keep the bounds that they are counted by");
  }
  for (const char* name : {"sum", "last_value"}) {
    r.Unsupported(name, "remove it; counters are sums and gauges last values as it is");
  }
}

Status ViewAggregationOptions::Validate() const {
  if (!drop || !as_it_is) return absl::OkStatus();
  return absl::InvalidArgumentError("must be one of drop and default");
}

void ViewAttributeKeysOptions::Declare(config::OptionsReader& r) {
  r.Field("included", included, "Attributes that they keep; all if it is left out.");
  r.Field("excluded", excluded, "Attributes that they lose. What is the same without them is added up.");
}

void ViewStreamOptions::Declare(config::OptionsReader& r) {
  r.Field("name", name, "What they are called; as ever if it is left out.");
  r.Field("description", description, "Their help text; as ever if it is left out.");
  r.Field("aggregation", aggregation, "How they are counted.");
  r.Field("attribute_keys", attribute_keys, "Which attributes they have.");
}

void OwnViewOptions::Declare(config::OptionsReader& r) {
  r.Field("selector", selector, "Which metrics.");
  r.Field("stream", stream, "What becomes of them.");
}

Status OwnViewOptions::Validate() const {
  return selector.Validate();  // a missing section is not asked
}

MetricView OwnViewOptions::View() const {
  MetricView view;
  view.name_pattern = selector.instrument_name;
  view.meter_pattern = selector.meter_name;
  view.unit = selector.unit;
  for (const auto& [instrument, type] : kTypes) {
    if (instrument == selector.instrument_type) view.type = type;
  }
  view.is_dropped = stream.aggregation && stream.aggregation->drop;
  view.name = stream.name;
  view.help = stream.description;
  view.included = stream.attribute_keys.included;
  view.excluded = stream.attribute_keys.excluded;
  return view;
}

}  // namespace spanloom::pipeline
