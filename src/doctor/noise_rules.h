// SPDX-License-Identifier: Apache-2.0
//
// Rules for traces that are of no request: scrapes and probes, and what a scheduler makes of KV events.

#pragma once

#include "doctor/finding.h"
#include "doctor/trace_rules.h"

namespace spanloom::doctor {

// Services whose traces are such alone, or at least to a half.
void CheckNoise(const TraceSample& sample, Findings& findings);

}  // namespace spanloom::doctor
