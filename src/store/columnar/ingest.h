// SPDX-License-Identifier: Apache-2.0
//
// The write path of the columnar store: into the log, then into the head. Belongs to the log thread.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "otlp/batch.h"
#include "store/columnar/columnar_store_options.h"
#include "store/columnar/earlier_spans.h"
#include "store/columnar/log/log_writer.h"
#include "store/columnar/parts_table.h"
#include "store/head/incoming.h"

namespace spanloom::store::columnar {

// Sequence-bound: the log thread. All that it is given must outlive it.
class Ingest {
 public:
  Ingest(const ColumnarStoreOptions& options, PartsTable& parts, log::LogWriter& log, const Clock& clock)
      : options_(options), parts_(parts), log_(log), clock_(clock) {}

  // Writes the batches to the log, makes them as safe as the options say, and adds them to the head. [batches]: how it
  // went. After an error of the log none of them is in the head.
  std::vector<Status> Write(std::span<const otlp::Batch> batches);

  // Adds what the log gave back at start.
  void Recover(const otlp::Batch& batch, uint64_t sequence);

  // True if the filling head is to be exchanged: it is large, old, or nothing was added to it for a while.
  [[nodiscard]] bool IsFlushDue() const;
  // To be told when the heads were exchanged. Returns the sequence up to which frames lie in the full one.
  uint64_t OnExchanged();

  // For SyncMode::kInterval: forces the log to the device if that is due.
  Status SyncIfDue();

  // Spans that came again with the same bytes, ever; from any thread.
  [[nodiscard]] uint64_t duplicates() const { return duplicates_; }
  // Bytes of the requests that the filling head holds spans of; from any thread.
  [[nodiscard]] size_t head_bytes() const { return head_bytes_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool head_is_empty() const { return head_spans_ == 0; }

 private:
  // The first requests by trace.
  static std::vector<head::IncomingBatch> SplitFirst(std::span<const Bytes> requests);
  // Forces what was appended to the device, if a batch is to be acknowledged only then.
  Status MakeSafe();
  // `bytes`: what the request keeps in memory, at most.
  void AddToHead(head::IncomingBatch batch, size_t bytes);
  // Takes out the spans that an older part has already, and notes if the trace lies there. Errors: those of
  // EarlierSpans; then all spans are still there.
  Status LeaveOutStored(const Parts& parts, const head::IncomingBatch& batch, head::IncomingTrace& trace);

  const ColumnarStoreOptions& options_;
  PartsTable& parts_;
  log::LogWriter& log_;
  const Clock& clock_;
  std::atomic<uint64_t> duplicates_ = 0;

  // Of the filling head.
  std::atomic<size_t> head_bytes_ = 0;
  uint64_t head_spans_ = 0;
  uint64_t head_sequence_ = 0;  // of its last frame
  int64_t first_added_ns_ = 0;  // Clock::SteadyNs
  int64_t last_added_ns_ = 0;
  // Of traces that older parts have as well.
  struct Split {
    EarlierSpans earlier;
    bool is_in_head = false;
  };
  absl::flat_hash_map<otlp::TraceId, Split> splits_;
  int64_t synced_ns_ = 0;
  bool has_unsynced_ = false;
};

}  // namespace spanloom::store::columnar
