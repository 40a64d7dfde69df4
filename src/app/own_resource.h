// SPDX-License-Identifier: Apache-2.0
//
// Who this process is, for its own spans and metrics: the attributes of its resource.

#pragma once

#include <string>
#include <string_view>

#include "base/metrics.h"
#include "base/rng.h"
#include "config/options.h"
#include "pipeline/own_metrics_config.h"

namespace spanloom::app {

// service.name, service.version and a service.instance.id of its own, with what `configured` says (an empty value takes
// an attribute away). Sorted by name.
config::StringMap OwnResource(const config::StringMap& configured, Rng& rng);

// As labels of Prometheus, those that `options` takes: "service_name".
MetricLabels LabelsOf(const config::StringMap& resource, const pipeline::ResourceLabelsOptions& options = {});

}  // namespace spanloom::app
