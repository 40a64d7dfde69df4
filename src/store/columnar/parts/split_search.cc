// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/parts/split_search.h"

#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace spanloom::store::columnar {
namespace {

// Those whose ids begin so.
void AddSplitTraces(const Parts& parts, uint32_t prefix, SplitTraces& split) {
  absl::flat_hash_set<otlp::TraceId> ids;
  for (const auto& segment : parts.segments) {
    for (const otlp::TraceId& id : segment->reader().IdsWithPrefix(prefix)) {
      if (!ids.insert(id).second) split.AddParts(id, 1);
    }
  }
}

}  // namespace

// By the first bytes of their ids, which are in memory and in order; few that are not split share them. A stretch of
// them at a time, so that sorting stays in the cache.
void FindSplitTraces(PartsTable& table) {
  constexpr uint32_t kShift = 20;
  const Parts parts = table.Now();
  std::vector<size_t> next(parts.segments.size());
  std::vector<uint32_t> stretch;
  for (uint64_t high = 0; high < (uint64_t{1} << (32 - kShift)); ++high) {
    stretch.clear();
    for (size_t i = 0; i < parts.segments.size(); ++i) {
      const std::vector<uint32_t>& prefixes = parts.segments[i]->reader().prefixes();
      for (; next[i] < prefixes.size() && prefixes[next[i]] >> kShift == high; ++next[i]) {
        stretch.push_back(prefixes[next[i]]);
      }
    }
    std::ranges::sort(stretch);
    for (auto found = stretch.begin(); (found = std::ranges::adjacent_find(found, stretch.end())) != stretch.end();) {
      AddSplitTraces(parts, *found, table.split());
      found = std::ranges::upper_bound(found, stretch.end(), *found);
    }
  }
}

}  // namespace spanloom::store::columnar
