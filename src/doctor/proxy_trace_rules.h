// SPDX-License-Identifier: Apache-2.0
//
// Rules for traces of requests that went through a routing proxy: how its spans and those of the engines behind it hang
// together.

#pragma once

#include "doctor/finding.h"
#include "doctor/trace_rules.h"

namespace spanloom::doctor {

// An engine's span beside the proxy's, below the same parent: the proxy handed its caller's traceparent on, not its
// own. And a decode leg below the prefill leg, as the routing proxies of llm-d have it.
void CheckProxyTraces(const TraceSample& sample, Findings& findings);

}  // namespace spanloom::doctor
