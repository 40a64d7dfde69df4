// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/merge/compaction_policy.h"

#include <algorithm>
#include <vector>

namespace spanloom::store::columnar {
namespace {

constexpr uint64_t kFixed = ~uint64_t{0};
constexpr uint64_t kSmallestSize = 64;  // below, sizes count as about the same; guess
constexpr uint64_t kSizeStep = 4;       // between the limits of sizes; guess

}  // namespace

uint64_t CompactionPolicy::SizeOf(const MergeCandidate& candidate) const {
  if (candidate.is_fixed) return kFixed;
  const uint64_t spans = std::max<uint64_t>(candidate.spans + candidate.spans_gone, 1);
  const double left = static_cast<double>(candidate.spans) / static_cast<double>(spans);
  const auto bytes_left = static_cast<uint64_t>(static_cast<double>(candidate.bytes) * left);
  return std::max({candidate.spans, bytes_left / bytes_a_span, uint64_t{1}});
}

// The longest run from `begin` on that grows as it should, of sizes up to `limit`.
std::optional<MergeRun> CompactionPolicy::RunOfOneSize(std::span<const uint64_t> sizes, size_t begin,
                                                       uint64_t limit) const {
  std::optional<MergeRun> found;
  uint64_t total = 0;
  uint64_t largest = 0;
  for (size_t i = begin; i < sizes.size() && i - begin < sources_max && sizes[i] <= limit; ++i) {
    total += sizes[i];
    largest = std::max(largest, sizes[i]);
    if (total > size_max) break;
    if (i + 1 - begin >= sources_min && total / growth >= largest) found = MergeRun{.begin = begin, .end = i + 1};
  }
  return found;
}

std::optional<MergeRun> CompactionPolicy::RunBeforeALargerOne(std::span<const uint64_t> sizes) const {
  for (size_t end = 2; end < sizes.size(); ++end) {
    const uint64_t limit = std::min(sizes[end], size_max) / growth;
    if (limit < kSmallestSize) continue;
    size_t begin = end;
    uint64_t total = 0;
    while (begin > 0 && end - begin < sources_max && sizes[begin - 1] <= limit &&
           total + sizes[begin - 1] <= size_max) {
      total += sizes[--begin];
    }
    if (end - begin >= 2) return MergeRun{.begin = begin, .end = end};
  }
  return std::nullopt;
}

std::optional<MergeRun> CompactionPolicy::MostlyGone(std::span<const MergeCandidate> candidates) const {
  for (size_t i = 0; i < candidates.size(); ++i) {
    const MergeCandidate& candidate = candidates[i];
    if (candidate.is_fixed || candidate.spans_gone < gone_spans_min) continue;
    if (candidate.spans_gone > candidate.spans) return MergeRun{.begin = i, .end = i + 1};
  }
  return std::nullopt;
}

std::optional<MergeRun> CompactionPolicy::Next(std::span<const MergeCandidate> candidates) const {
  std::vector<uint64_t> sizes;
  sizes.reserve(candidates.size());
  for (const MergeCandidate& candidate : candidates) sizes.push_back(SizeOf(candidate));
  for (uint64_t limit = kSmallestSize; limit < size_max * kSizeStep; limit *= kSizeStep) {
    for (size_t begin = 0; begin < sizes.size(); ++begin) {
      if (const auto run = RunOfOneSize(sizes, begin, std::min(limit, size_max))) return run;
    }
  }
  if (const auto run = RunBeforeALargerOne(sizes)) return run;
  return MostlyGone(candidates);
}

uint64_t CompactionPolicy::BytesToMerge(std::vector<MergeCandidate> candidates) const {
  uint64_t bytes = 0;
  while (const std::optional<MergeRun> run = Next(candidates)) {
    const auto begin = candidates.begin() + static_cast<ptrdiff_t>(run->begin);
    const auto end = candidates.begin() + static_cast<ptrdiff_t>(run->end);
    MergeCandidate merged;
    for (auto source = begin; source != end; ++source) {
      merged.spans += source->spans;
      merged.bytes += source->bytes;
    }
    bytes += merged.bytes;
    *begin = merged;
    candidates.erase(begin + 1, end);
  }
  return bytes;
}

}  // namespace spanloom::store::columnar
