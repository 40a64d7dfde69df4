// SPDX-License-Identifier: Apache-2.0

#include "query/jaeger/dependencies.h"

namespace spanloom::query::jaeger {

store::FetchPlan DependencyCounter::Plan() {
  return {.rows = store::FetchPlan::Rows::kWholeTrace,
          .fields = {store::Field::Of(store::Intrinsic::kService)},
          .wants_structure = true};
}

void DependencyCounter::Add(const store::SpanBatch& batch) {
  const store::Column& services = batch.columns.front();
  for (const store::TraceRows& trace : batch.traces) {
    for (uint32_t row = trace.first_row; row < trace.first_row + trace.row_count; ++row) {
      const uint32_t parent = batch.places[row].parent_ordinal;
      if (parent == store::kNoOrdinal) continue;
      // All rows of the trace are there, so ordinals count them.
      ++calls_[{std::string(services.First(trace.first_row + parent).text()), std::string(services.First(row).text())}];
    }
  }
}

std::vector<Dependency> DependencyCounter::Take() const {
  std::vector<Dependency> dependencies;
  for (const auto& [services, count] : calls_) {
    dependencies.push_back({.parent = services.first, .child = services.second, .calls = count});
  }
  return dependencies;
}

}  // namespace spanloom::query::jaeger
