// SPDX-License-Identifier: Apache-2.0
//
// Whether the components that take part in one request agree on which traces are kept.

#pragma once

#include <span>

#include "doctor/document.h"
#include "doctor/finding.h"

namespace spanloom::doctor {

// Values files that turn tracing on with different shares. With parentbased samplers the first component decides, the
// scheduler; what comes past it (a direct request, a client without a gateway) is decided by the next.
void CheckSampling(std::span<const Document> documents, Findings& findings);

}  // namespace spanloom::doctor
