// SPDX-License-Identifier: Apache-2.0
//
// Our own metrics as Prometheus reads them: GET /metrics.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/metric_views.h"
#include "base/metrics.h"
#include "base/status.h"
#include "net/loop.h"
#include "net/server.h"

namespace spanloom::app {

// Serves `metrics` at `endpoint`/metrics, as `views` have them and named as `naming` says, until the result is
// destroyed. Errors: those of net::Server::Create.
StatusOr<std::unique_ptr<net::Server>> ServeMetrics(net::LoopPool& loops, MetricRegistry& metrics, MetricNaming naming,
                                                    std::vector<MetricView> views, std::string endpoint);

}  // namespace spanloom::app
