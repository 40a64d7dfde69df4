// SPDX-License-Identifier: Apache-2.0
//
// Which service calls which, counted from stored traces: what Jaeger's dependency graph shows.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/span_store.h"

namespace spanloom::query::jaeger {

struct Dependency {
  std::string parent;  // service
  std::string child;   // service; the same as `parent` for a call within it, as Jaeger's memory store counts
  uint64_t calls = 0;  // spans whose parent span is of `parent`
};

// Sorted by parent, then child. Spans whose parent is not stored are not counted.
[[nodiscard]] std::vector<Dependency> CountDependencies(const std::vector<store::Trace>& traces);

}  // namespace spanloom::query::jaeger
