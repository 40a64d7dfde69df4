// SPDX-License-Identifier: Apache-2.0
//
// How much a memory store may keep.

#pragma once

#include <cstddef>

#include "base/status.h"
#include "store/head/recent_spans.h"
#include "store/head/trace_table.h"

namespace spanloom::store::memory {

struct MemoryStoreOptions {
  size_t traces_max = 100'000;          // as Jaeger's memory store (all-in-one.yaml, max_traces)
  size_t spans_max = 1'000'000;         // guess: ten a trace
  size_t bytes_max = 256U << 20;        // of the spans' messages, as StoreStats counts them; guess
  size_t queue_bytes_max = 128U << 20;  // reserved or waiting to be written; guess: twice what `batch` may hold
  head::RecentLimits recent = {};       // kept for Tail() while anybody follows

  // kInvalidArgument if a limit is 0 or spans_max does not fit 32 bits.
  [[nodiscard]] Status Validate() const;
  [[nodiscard]] head::TableLimits table() const {
    return {.traces_max = traces_max, .spans_max = spans_max, .bytes_max = bytes_max};
  }
};

}  // namespace spanloom::store::memory
