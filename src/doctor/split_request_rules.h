// SPDX-License-Identifier: Apache-2.0
//
// Rules for requests whose spans came in more than one trace: a component began a trace of its own where it should
// have gone on with its caller's.

#pragma once

#include "doctor/finding.h"
#include "doctor/trace_rules.h"

namespace spanloom::doctor {

// Traces belong together if spans in them name the same request and no service is in both: the same service in two
// traces of one id is a client that tried again, or one that gives all its requests one id.
void CheckSplitRequests(const TraceSample& sample, Findings& findings);

}  // namespace spanloom::doctor
