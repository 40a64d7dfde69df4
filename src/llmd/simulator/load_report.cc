// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/load_report.h"

#include <absl/strings/match.h>

#include "base/text.h"

namespace spanloom::llmd::simulator {
namespace {

// As Python spells a float: with a point.
std::string Spelled(double value) {
  std::string text = StrCat(value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

}  // namespace

std::string LoadReport(std::string_view format, const EngineGauges& gauges) {
  const std::string usage = Spelled(gauges.cache_usage.load(std::memory_order_relaxed));
  const std::string waiting = Spelled(static_cast<double>(gauges.waiting_capacity.load(std::memory_order_relaxed) +
                                                          gauges.waiting_deferred.load(std::memory_order_relaxed)));
  if (absl::EqualsIgnoreCase(AbslView(format), "text")) {
    return StrCat("TEXT named_metrics.kv_cache_usage_perc=", usage, ", named_metrics.num_requests_waiting=", waiting);
  }
  if (!absl::EqualsIgnoreCase(AbslView(format), "json")) return "";
  return StrCat(R"(JSON {"named_metrics": {"kv_cache_usage_perc": )", usage, R"(, "num_requests_waiting": )", waiting,
                "}}");
}

}  // namespace spanloom::llmd::simulator
