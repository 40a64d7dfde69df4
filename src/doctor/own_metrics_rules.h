// SPDX-License-Identifier: Apache-2.0
//
// Rules for what a collector says of itself on its metrics page, ours or OpenTelemetry's: names with and without
// "_total".

#pragma once

#include <string>
#include <string_view>

#include "doctor/finding.h"

namespace spanloom::doctor {

// `page`: Prometheus' text format. `source`: its endpoint, for findings.
void CheckMetricsPage(std::string_view page, const std::string& source, Findings& findings);

}  // namespace spanloom::doctor
