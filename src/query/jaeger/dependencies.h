// SPDX-License-Identifier: Apache-2.0
//
// Which service calls which, counted from stored traces: what Jaeger's dependency graph shows.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "store/fetch.h"

namespace spanloom::query::jaeger {

struct Dependency {
  std::string parent;  // service
  std::string child;   // service; the same as `parent` for a call within it, as Jaeger's memory store counts
  uint64_t calls = 0;  // spans whose parent span is of `parent`
};

// Thread-compatible.
class DependencyCounter {
 public:
  // What it needs of whole traces; the time range and the like are the caller's.
  [[nodiscard]] static store::FetchPlan Plan();

  // A batch of an answer to such a plan. Spans whose parent is not stored are not counted.
  void Add(const store::SpanBatch& batch);

  // Sorted by parent, then child.
  [[nodiscard]] std::vector<Dependency> Take() const;

 private:
  std::map<std::pair<std::string, std::string>, uint64_t> calls_;  // by parent and child service
};

}  // namespace spanloom::query::jaeger
