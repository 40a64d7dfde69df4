// SPDX-License-Identifier: Apache-2.0
//
// Names of metrics and labels as Prometheus has them, made of those of OTLP. Specification: OpenTelemetry,
// "Prometheus and OpenMetrics Compatibility"; units that it does not name as the Collector has them.

#pragma once

#include <string>
#include <string_view>

namespace spanloom::pipeline {

// What the end of a name depends on.
enum class PrometheusKind { kCounter, kGauge, kOther };

// [a-zA-Z0-9:_], not beginning with a digit. With suffixes it ends in the unit, and a counter in _total; a gauge of
// unit 1 in _ratio. `prefix` is what the user puts before all names; "" for none. "" if nothing of the name is left.
[[nodiscard]] std::string PrometheusMetricName(std::string_view name, std::string_view unit, PrometheusKind kind,
                                               std::string_view prefix, bool has_suffixes);

// [a-zA-Z0-9_]; with key_ in front where it began with a digit or one underscore.
[[nodiscard]] std::string PrometheusLabelName(std::string_view name);

}  // namespace spanloom::pipeline
