// SPDX-License-Identifier: Apache-2.0
//
// Rules for the containers of Kubernetes objects: vLLM, the routing proxy and the scheduler, and what their environment
// and arguments say about tracing.

#pragma once

#include "config/node.h"
#include "doctor/finding.h"

namespace spanloom::doctor {

// `object`: of any kind. Looks at every container of every pod template in it.
void CheckWorkload(const config::Node& object, Findings& findings);

}  // namespace spanloom::doctor
