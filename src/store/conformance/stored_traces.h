// SPDX-License-Identifier: Apache-2.0
//
// For tests: traces as a store hands them out, without a store.

#pragma once

#include <vector>

#include "otlp/batch.h"
#include "store/span.h"

namespace spanloom::store {

// The spans of `batch`, each with copies of its bytes, in order of arrival.
[[nodiscard]] std::vector<StoredSpan> StoredSpansOf(const otlp::Batch& batch);

// The spans of `batch` by start, which must be of one trace.
[[nodiscard]] Trace TraceOf(const otlp::Batch& batch);

// By start; spans of equal start stay as they are.
void SortByStart(std::vector<StoredSpan>& spans);

}  // namespace spanloom::store
