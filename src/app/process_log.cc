// SPDX-License-Identifier: Apache-2.0

#include "app/process_log.h"

#include <string>
#include <utility>

#include "base/go_limits.h"
#include "base/process_memory.h"
#include "net/loop_call.h"

namespace spanloom::app {
namespace {

constexpr std::chrono::seconds kSettleInterval{1};  // guess
constexpr uint64_t kMebibyte = 1 << 20;

}  // namespace

Status SetUpLog(const ProcessPlan& plan, LogOptions configured, const config::StringMap& resource) {
  // The words of the command line were checked when it was parsed.
  if (!plan.log_format.empty()) configured.format = *ParseLogFormat(plan.log_format);
  if (!plan.log_level.empty()) configured.level = *ParseLogLevel(plan.log_level);
  configured.constants.resource = resource;
  return Annotate(ConfigureLog(configured), "service.telemetry.logs.output_paths");
}

void LogLimits(const UsableCores& cores) {
  for (const std::string& warning : ReadGoLimits().warnings) Log(LogLevel::kWarn, warning);
  const StatusOr<UsableMemory> memory = FindUsableMemory();
  Log(LogLevel::kInfo, "limits of this process",
      {{"loops", cores.count},
       {"loops_by", cores.source},
       {"memory_mib", memory.ok() ? StrCat(memory->bytes / kMebibyte) : "unknown"},
       {"memory_by", memory.ok() ? memory->source : "nobody"}});
}

LogKeeper::LogKeeper(net::Loop& loop) : loop_(loop) {
  net::RunOn(loop_, [this] { Wait(); });
}

LogKeeper::~LogKeeper() {
  net::RunOn(loop_, [this] { timer_.Cancel(); });
  SettleLog(/*in_haste=*/true);
}

void LogKeeper::Wait() {
  timer_ = loop_.PostAfter(kSettleInterval, [this] {
    SettleLog();
    Wait();
  });
}

}  // namespace spanloom::app
