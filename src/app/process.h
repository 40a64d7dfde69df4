// SPDX-License-Identifier: Apache-2.0
//
// A process that runs a configuration from start to stop: log, metrics page, spans about itself, engine, and where it
// has one the store. What `serve` and `collector` have in common.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "app/compose_config.h"
#include "app/drain_argument.h"
#include "base/status.h"

namespace spanloom::app {

struct ProcessPlan {
  // At start, and again at each reload; it gives up when there is a hurry.
  std::function<StatusOr<ComposedConfig>(std::stop_token hurry)> load_config;
  std::string listen_host = "localhost";  // of listeners whose endpoint is not written out
  bool has_store = false;                 // with the exporter and the extension that are the store's
  std::string log_format = {};            // "" leaves it to service.telemetry.logs
  std::string log_level = {};
  std::chrono::milliseconds drain_timeout = kDrainTimeout;
};

// Sets the log up as the command line says, as far as it does; its words were checked when it was parsed.
void SetUpLog(const ProcessPlan& plan);

// Starts, runs until SIGTERM or SIGINT, and stops. Says on standard output when it is ready. Returns the exit code: 0,
// or 1 if it can't start or something that was acknowledged could not be delivered or kept. `begin_ns`: the steady
// time at which the process began. To be called before any other thread starts.
int RunProcess(const ProcessPlan& plan, int64_t begin_ns);

}  // namespace spanloom::app
