// SPDX-License-Identifier: Apache-2.0
//
// What the policy leaves of many flushes, and what it costs. Does not prove that merging keeps spans.

#include "store/columnar/merge/compaction_policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/rng.h"

namespace spanloom::store::columnar {
namespace {

// A store as the policy sees it.
class Segments {
 public:
  // A flush, and all merges that follow.
  void Flush(uint64_t spans, uint64_t bytes_a_span = 45) {
    flushed_ += spans;
    segments_.push_back({.spans = spans, .spans_gone = 0, .bytes = 2'000 + spans * bytes_a_span, .is_fixed = false});
    Merge();
  }
  void FlushOften(size_t times, uint64_t spans) {
    for (size_t i = 0; i < times; ++i) Flush(spans);
  }
  void AddFixed() { segments_.push_back({.is_fixed = true}); }

  [[nodiscard]] size_t count() const { return segments_.size(); }
  [[nodiscard]] size_t most() const { return most_; }
  // How many times a span was written again, on average.
  [[nodiscard]] double rewrites() const { return static_cast<double>(rewritten_) / static_cast<double>(flushed_); }
  [[nodiscard]] uint64_t largest() const { return std::ranges::max(segments_, {}, &MergeCandidate::spans).spans; }

 private:
  void Merge() {
    while (const auto run = CompactionPolicy().Next(segments_)) {
      ASSERT_LT(run->begin, run->end);
      ASSERT_LE(run->end, segments_.size());
      MergeCandidate merged;
      for (size_t i = run->begin; i < run->end; ++i) {
        ASSERT_FALSE(segments_[i].is_fixed);
        merged.spans += segments_[i].spans;
        merged.bytes += segments_[i].bytes - 1'900;
      }
      rewritten_ += merged.spans;
      const auto begin = segments_.begin() + static_cast<ptrdiff_t>(run->begin);
      *begin = merged;
      segments_.erase(begin + 1, segments_.begin() + static_cast<ptrdiff_t>(run->end));
    }
    most_ = std::max(most_, segments_.size());
  }

  std::vector<MergeCandidate> segments_;
  uint64_t flushed_ = 0;
  uint64_t rewritten_ = 0;
  size_t most_ = 0;
};

// Scenario: a store that is at its full rate.
// Guarantees: nothing is merged.
TEST(CompactionPolicy, LeavesFullSegmentsAlone) {
  Segments segments;
  segments.FlushOften(100, 200'192);
  EXPECT_EQ(segments.count(), 100);
  EXPECT_EQ(segments.rewrites(), 0);
  Segments of_large_spans;
  for (int i = 0; i < 100; ++i) of_large_spans.Flush(13'000, 4'000);  // 128 MiB of which little could be packed
  EXPECT_EQ(of_large_spans.rewrites(), 0);
}

// Scenario: a day of an idle machine: a flush a second with a trace or two.
// Guarantees: two dozen small segments at any time, and large ones; a span is written again six times or so.
TEST(CompactionPolicy, LeavesFewSegmentsOfManySmallFlushes) {
  for (const size_t flushes : {10, 100, 1'000, 10'000, 86'400}) {
    SCOPED_TRACE(flushes);
    Segments segments;
    segments.FlushOften(flushes, 12);
    EXPECT_LE(segments.most(), 24 + flushes * 12 / (CompactionPolicy().size_max / 2));
    EXPECT_LE(segments.rewrites(), 6.5);
  }
}

// Scenario: flushes of any size, by chance, of which most are small.
// Guarantees: not many more than if the spans stood in segments as large as can be; hardly anything is written twice.
TEST(CompactionPolicy, GetsAlongWithAnySizes) {
  Rng rng(7);
  Segments segments;
  uint64_t spans = 0;
  for (int i = 0; i < 3'000; ++i) {
    const uint64_t size = 1 + rng.Below(uint64_t{1} << rng.Below(17));
    segments.Flush(size);
    spans += size;
  }
  EXPECT_LE(segments.count(), 20 + 4 * spans / CompactionPolicy().size_max);
  EXPECT_LE(segments.rewrites(), 4);
  EXPECT_LE(segments.largest(), CompactionPolicy().size_max);
}

// Scenario: an hour of small flushes between bursts, of a full head, and of less.
// Guarantees: what is between two bursts becomes one segment, or goes into a larger one.
TEST(CompactionPolicy, JoinsWhatStandsBetweenLargerOnes) {
  for (const uint64_t burst : {200'000, 60'000, 3'000}) {
    SCOPED_TRACE(burst);
    Segments segments;
    for (int hour = 0; hour < 24; ++hour) {
      segments.Flush(burst);
      segments.FlushOften(300, 20);
    }
    EXPECT_LE(segments.count(), 24 + 24 + 24);
    EXPECT_LE(segments.rewrites(), 6);
  }
}

// Scenario: a segment that can't be read among small ones.
// Guarantees: none is merged across it; both sides are merged for themselves.
TEST(CompactionPolicy, NeverMergesAcrossAFixedOne) {
  Segments segments;
  segments.FlushOften(7, 10);
  segments.AddFixed();
  segments.FlushOften(7, 10);
  EXPECT_EQ(segments.count(), 1 + 1 + 7);
  segments.Flush(10);
  EXPECT_EQ(segments.count(), 1 + 1 + 1);
}

// Scenario: retention takes more and more of a large segment, and of a small one.
// Guarantees: the large one is written again when more than half is gone, the small one never.
TEST(CompactionPolicy, RewritesWhatIsMostlyGone) {
  const CompactionPolicy policy;
  const auto next = [&](uint64_t spans, uint64_t gone) {
    return policy.Next(std::vector<MergeCandidate>{{.spans = spans, .spans_gone = gone, .bytes = 45 * (spans + gone)}});
  };
  EXPECT_EQ(next(100'000, 100'000), std::nullopt);
  EXPECT_EQ(next(99'999, 100'001), (MergeRun{.begin = 0, .end = 1}));
  EXPECT_EQ(next(10, 1'000), std::nullopt);
}

// Scenario: a thousand small segments of an older store.
// Guarantees: they are merged many at a time, never more than may be read at once.
TEST(CompactionPolicy, MergesManyAtOnceButNotTooMany) {
  const std::vector<MergeCandidate> candidates(1'000, {.spans = 10, .spans_gone = 0, .bytes = 2'000});
  const auto run = CompactionPolicy().Next(candidates);
  ASSERT_TRUE(run);
  EXPECT_EQ(run->end - run->begin, CompactionPolicy().sources_max);
}

}  // namespace
}  // namespace spanloom::store::columnar
