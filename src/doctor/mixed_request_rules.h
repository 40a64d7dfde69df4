// SPDX-License-Identifier: Apache-2.0
//
// Rules for spans that came in the trace of another request: an engine that takes one request's context for another's.

#pragma once

#include "doctor/finding.h"
#include "doctor/trace_rules.h"

namespace spanloom::doctor {

// A span of an engine below a scheduler's `gateway.request` whose own spans name other requests than the engine's. A
// trace may well have many requests, as an agent's has; one `gateway.request` has one.
void CheckMixedRequests(const TraceSample& sample, Findings& findings);

}  // namespace spanloom::doctor
