// SPDX-License-Identifier: Apache-2.0
//
// The log of a process that runs a configuration: as the command line and service.telemetry.logs say.

#pragma once

#include "app/process.h"
#include "base/log.h"
#include "base/process_cores.h"
#include "base/status.h"
#include "config/options.h"
#include "net/loop.h"

namespace spanloom::app {

// Sets the log up as `configured`, where the command line of `plan` says nothing else, with `resource` in its lines.
// Errors: those of spanloom::ConfigureLog.
Status SetUpLog(const ProcessPlan& plan, LogOptions configured, const config::StringMap& resource);

// Logs how many loops and how much memory the process may have, and who says so; and what it says in vain.
void LogLimits(const UsableCores& cores);

// Says every second what sampling has left out of the log, and when it is destroyed. Made and destroyed on a thread
// that is not a loop's; `loop` outlives it.
class LogKeeper {
 public:
  explicit LogKeeper(net::Loop& loop);
  ~LogKeeper();
  LogKeeper(const LogKeeper&) = delete;
  LogKeeper& operator=(const LogKeeper&) = delete;

 private:
  void Wait();

  net::Loop& loop_;
  net::Timer timer_;  // of the loop
};

}  // namespace spanloom::app
