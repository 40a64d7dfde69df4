// SPDX-License-Identifier: Apache-2.0
//
// Rules for a configuration of the OpenTelemetry Collector that stands behind llm-d. That it is valid at all is said by
// `spanloom collector validate`; these are about what it does.

#pragma once

#include <string_view>

#include "config/node.h"
#include "doctor/finding.h"

namespace spanloom::doctor {

// `is_in_pod`: it was found in a Kubernetes object, or runs in a pod. `default_host`: where a receiver listens whose
// endpoint is not written out.
void CheckCollector(const config::Node& config, bool is_in_pod, Findings& findings,
                    std::string_view default_host = "localhost");

}  // namespace spanloom::doctor
