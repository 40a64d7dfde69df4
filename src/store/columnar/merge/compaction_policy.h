// SPDX-License-Identifier: Apache-2.0
//
// Which segments are to be merged next. Few segments are good for questions and for the start; writing spans again and
// again is bad for the disk and for whoever else needs the processor. So segments are merged when several of about one
// size stand side by side, and a span that is written again comes into a segment several times as large.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace spanloom::store::columnar {

// A segment, as far as the policy is concerned. A value.
struct MergeCandidate {
  uint64_t spans = 0;       // that are left
  uint64_t spans_gone = 0;  // that retention has removed
  uint64_t bytes = 0;       // of the file
  bool is_fixed = false;    // it stays as it is, and what is on either side of it is not merged
};

// Candidates [begin, end).
struct MergeRun {
  size_t begin = 0;
  size_t end = 0;
  friend bool operator==(const MergeRun&, const MergeRun&) = default;
};

// A value. A segment's size is in spans: those that are left, or its bytes by `bytes_a_span` if that is more.
struct CompactionPolicy {
  // That are merged: fewer mean more writing, more mean more segments. 8 leaves 8 segments of a size, and writes a
  // span again each time that the store has become 8 times as large. Guess.
  size_t sources_min = 8;
  size_t sources_max = 16;  // bounds the pages that are held at once; guess
  // How many times as large as the largest of its sources a merged segment is at least. Half of sources_min, since
  // sizes are only about the same.
  uint64_t growth = 4;
  // The largest that a merged segment may be: a full head (200,000 spans of an LLM server), and a bit. What is larger
  // than this by `growth` is not written again, so a store at its full rate merges nothing.
  uint64_t size_max = 1 << 18;
  uint64_t bytes_a_span = 256;  // limits merged segments to 64 MiB; six times what those of an LLM server take
  // A segment of which more than half is gone is written again, if so many spans are. Guess: a few pages.
  uint64_t gone_spans_min = 4'096;

  // What to merge next; nullopt if all is as it should be. `candidates` stand in order of arrival; only neighbours are
  // merged, so that order stays. O(candidates).
  //
  // First come sources_min or more neighbours, the smallest sizes first. Then two or more that stand before one that is
  // larger by `growth`: others of their size can't come between any more. Then a segment of which much is gone.
  // Repeated to its end this leaves, of N flushes of one size, O(log N) segments and one for each size_max / growth
  // spans; compaction_policy_test.cc has figures.
  [[nodiscard]] std::optional<MergeRun> Next(std::span<const MergeCandidate> candidates) const;

  // Bytes that merges read until Next says nothing, if what they write is as large as what they read.
  [[nodiscard]] uint64_t BytesToMerge(std::vector<MergeCandidate> candidates) const;

 private:
  [[nodiscard]] uint64_t SizeOf(const MergeCandidate& candidate) const;
  [[nodiscard]] std::optional<MergeRun> RunOfOneSize(std::span<const uint64_t> sizes, size_t begin,
                                                     uint64_t limit) const;
  [[nodiscard]] std::optional<MergeRun> RunBeforeALargerOne(std::span<const uint64_t> sizes) const;
  [[nodiscard]] std::optional<MergeRun> MostlyGone(std::span<const MergeCandidate> candidates) const;
};

}  // namespace spanloom::store::columnar
