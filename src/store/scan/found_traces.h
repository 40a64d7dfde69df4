// SPDX-License-Identifier: Apache-2.0
//
// The traces that belong to an answer that is newest first, while others are still looked at.

#pragma once

#include <absl/container/btree_map.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include "store/fetch.h"

namespace spanloom::store::scan {

// Keeps the newest traces behind a position, each with its spans. Thread-compatible.
template <typename Spans>
class FoundTraces {
 public:
  FoundTraces(size_t traces_max, std::optional<FetchPosition> after) : traces_max_(traces_max), after_(after) {}

  // A trace that is selected. Where there are too many, the oldest goes: returns the spans that are not kept.
  std::optional<Spans> Add(const FetchPosition& position, Spans spans) {
    if (after_ && !(*after_ < position)) return spans;
    traces_.emplace(position, std::move(spans));
    if (traces_.size() <= traces_max_) return std::nullopt;
    const auto oldest = std::prev(traces_.end());
    std::optional<Spans> left = std::move(oldest->second);
    traces_.erase(oldest);
    return left;
  }

  // True if no trace whose latest start is that, or an earlier one, can become part of the answer.
  [[nodiscard]] bool IsCompleteAt(uint64_t latest_start_unix_ns) const {
    if (traces_max_ == 0) return true;
    return traces_.size() >= traces_max_ && std::prev(traces_.end())->first.latest_start_unix_ns > latest_start_unix_ns;
  }

  // The newest one, which goes; nullopt if none is left.
  std::optional<std::pair<FetchPosition, Spans>> TakeFirst() {
    if (traces_.empty()) return std::nullopt;
    const auto first = traces_.begin();
    std::pair<FetchPosition, Spans> taken(first->first, std::move(first->second));
    traces_.erase(first);
    return taken;
  }

 private:
  const size_t traces_max_;
  const std::optional<FetchPosition> after_;
  absl::btree_map<FetchPosition, Spans> traces_;
};

}  // namespace spanloom::store::scan
