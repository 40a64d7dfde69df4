// SPDX-License-Identifier: Apache-2.0
//
// How a columnar store keeps its data, and how much of it in memory.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/status.h"
#include "store/columnar/merge/compaction_policy.h"
#include "store/columnar/write/ingest.h"
#include "store/head/recent_spans.h"

namespace spanloom::store::columnar {

struct ColumnarStoreOptions {
  std::string directory;  // must exist, and belong to this process (DataDir)
  SyncMode sync = SyncMode::kAlways;
  std::chrono::milliseconds sync_interval{1'000};  // of kInterval; guess
  size_t queue_bytes_max = 128U << 20;             // reserved or waiting to be written; guess
  // The head, where spans are before they are in a segment, in bytes of the requests that it holds. It is written when
  // it has reached the first; beyond the second, appends are told to come again.
  size_t head_bytes = 128U << 20;                // guess: 200,000 spans of an LLM server
  size_t head_bytes_max = 256U << 20;            // both heads together: while one is written, the other fills
  std::chrono::milliseconds idle_flush{1'000};   // a head that nothing was added to for so long is written
  std::chrono::milliseconds age_flush{300'000};  // so is one that is so old; guess
  head::RecentLimits recent = {};                // kept for Tail() while anybody follows
  // Segments are merged, and their request rows written, in the background; else by Compact() and FillRequests() alone.
  bool compacts_by_itself = true;
  // Read and written by merges. A merge takes 2.6 µs of a core for a span, which is 86 bytes (columnar_bench,
  // BM_Compact): this is an eighth of a core, and five seconds for the largest merge.
  uint64_t compaction_bytes_per_second = 4U << 20;
  // Of segments, read for request rows: 195,000 spans a second. Reading takes 1.7 µs of a core for a span
  // (columnar_requests_bench, BM_WriteRequestRows), so this is a third of a core, and what the deriver takes. Guess.
  uint64_t request_bytes_per_second = 16U << 20;
  CompactionPolicy compaction = {};

  // kInvalidArgument says which limit is not positive, or smaller than the one that it has to hold.
  [[nodiscard]] Status Validate() const;
};

}  // namespace spanloom::store::columnar
