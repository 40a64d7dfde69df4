// SPDX-License-Identifier: Apache-2.0
//
// Names with the number of spans that have them, cut to those that occur most.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/text.h"

namespace spanloom::store::scan {

// What a span has more than once counts once.
template <typename T>
void SortAndDropRepeated(std::vector<T>& items) {
  std::ranges::sort(items);
  items.erase(std::ranges::unique(items).begin(), items.end());
}

// The `names_max` with the most spans, ties by name, sorted by name. `Entry` has `spans` and is ordered by its name
// first.
template <typename Entry>
void KeepMostSpans(size_t names_max, std::vector<Entry>& entries) {
  if (entries.size() > names_max) {
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return a.spans != b.spans ? a.spans > b.spans : a < b; });
    entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(names_max), entries.end());
  }
  std::sort(entries.begin(), entries.end());
}

// Counts spans by name. Thread-compatible.
template <typename Name>
class NameCounts {
 public:
  // `bytes_max`: of the names, about.
  explicit NameCounts(size_t bytes_max) : bytes_max_(bytes_max) {}

  // `text_bytes`: what the name takes beyond its own size. kResourceExhausted if there are too many names.
  Status Add(const Name& name, size_t text_bytes, uint64_t spans = 1) {
    const auto [count, is_new] = counts_.try_emplace(name, 0);
    count->second += spans;
    if (is_new) bytes_ += sizeof(*count) + text_bytes;
    if (bytes_ <= bytes_max_) return absl::OkStatus();
    return absl::ResourceExhaustedError(
        StrCat(counts_.size(), " names exceed ", bytes_max_, " bytes; ask for a prefix or a shorter time"));
  }

  // Entry{name, spans} of each, cut and sorted.
  template <typename Entry>
  [[nodiscard]] std::vector<Entry> Take(size_t names_max, auto make_entry) && {
    std::vector<Entry> entries;
    entries.reserve(counts_.size());
    for (const auto& [name, spans] : counts_) entries.push_back(make_entry(name, spans));
    KeepMostSpans(names_max, entries);
    return entries;
  }

 private:
  const size_t bytes_max_;
  absl::flat_hash_map<Name, uint64_t> counts_;
  size_t bytes_ = 0;
};

}  // namespace spanloom::store::scan
