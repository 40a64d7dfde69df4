// SPDX-License-Identifier: Apache-2.0
//
// Rules for the values of the inferencepool chart (Gateway API Inference Extension 1.3 to 1.5) and of the llm-d-router
// charts. Facts: the charts' templates.

#pragma once

#include "config/node.h"
#include "doctor/finding.h"

namespace spanloom::doctor {

void CheckRouterValues(const config::Node& values, Findings& findings);

}  // namespace spanloom::doctor
