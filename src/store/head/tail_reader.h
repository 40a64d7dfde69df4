// SPDX-License-Identifier: Apache-2.0
//
// Tail() of every store that keeps recent spans: which of those that came last match, as a batch.

#pragma once

#include <cstddef>
#include <optional>

#include "base/clock.h"
#include "base/status.h"
#include "store/head/followed_spans.h"
#include "store/head/trace_source.h"
#include "store/span_store.h"

namespace spanloom::store::head {

// SpanStore::Tail(). Looks at some thousand spans at most. A span whose trace is gone is looked at alone; one whose
// trace can't be read is left out if the plan asks for what is only known there. Errors: kInvalidArgument (the plan,
// the position), those of `traces` and of the plan's limits.
[[nodiscard]] StatusOr<TailBatch> ReadTail(const FetchPlan& plan, const std::optional<TailPosition>& position,
                                           size_t spans_max, FollowedSpans& recent, TraceSource& traces,
                                           const Clock& clock);

}  // namespace spanloom::store::head
