// SPDX-License-Identifier: Apache-2.0
//
// The load report of ORCA (Open Request Cost Aggregation) that vLLM puts on an answer if the request asks for it by
// the header endpoint-load-metrics-format.

#pragma once

#include <string>
#include <string_view>

#include "llmd/simulator/engine_metrics.h"

namespace spanloom::llmd::simulator {

inline constexpr std::string_view kLoadFormatHeader = "endpoint-load-metrics-format";
inline constexpr std::string_view kLoadHeader = "endpoint-load-metrics";

// The value of kLoadHeader in `format`, "TEXT" or "JSON" in any case; "" for any other.
[[nodiscard]] std::string LoadReport(std::string_view format, const EngineGauges& gauges);

}  // namespace spanloom::llmd::simulator
