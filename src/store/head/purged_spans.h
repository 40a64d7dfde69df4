// SPDX-License-Identifier: Apache-2.0
//
// What a purge has taken is not to be followed either.

#pragma once

#include "base/clock.h"
#include "store/head/followed_spans.h"
#include "store/head/trace_source.h"
#include "store/retention.h"

namespace spanloom::store::head {

// Forgets the recent spans that `plan`, which must be valid and done, may have meant and that `traces` does not have
// any more. What can't be read counts as taken. Reads the traces of spans that may have been meant.
void ForgetPurged(const PurgePlan& plan, FollowedSpans& recent, TraceSource& traces, const Clock& clock);

}  // namespace spanloom::store::head
