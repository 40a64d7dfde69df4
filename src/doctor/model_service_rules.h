// SPDX-License-Identifier: Apache-2.0
//
// Rules for the values of the llm-d-modelservice chart. Facts: the chart's templates, versions 0.4.6 to 0.4.12.

#pragma once

#include "config/node.h"
#include "doctor/finding.h"

namespace spanloom::doctor {

void CheckModelServiceValues(const config::Node& values, Findings& findings);

}  // namespace spanloom::doctor
