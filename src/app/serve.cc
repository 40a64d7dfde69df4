// SPDX-License-Identifier: Apache-2.0

#include "app/serve.h"

#include <utility>

#include "app/config_verbs.h"
#include "app/load_config.h"
#include "app/process.h"
#include "base/clock.h"

namespace spanloom::app {

int Serve(const ServeArguments& arguments) {
  const int64_t begin_ns = Clock::System().SteadyNs();
  const ProcessPlan plan{.load_config = [&](std::stop_token hurry) { return LoadConfig(arguments, std::move(hurry)); },
                         .listen_host = arguments.listen_host,
                         .has_store = true,
                         .log_format = arguments.log_format,
                         .log_level = arguments.log_level,
                         .drain_timeout = arguments.drain_timeout};
  SetUpLog(plan);
  if (arguments.verb == ServeVerb::kPrintConfig) return PrintConfig(arguments);
  if (arguments.verb == ServeVerb::kValidate) return ValidateConfig(arguments);
  return RunProcess(plan, begin_ns);
}

}  // namespace spanloom::app
