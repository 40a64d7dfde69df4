// SPDX-License-Identifier: Apache-2.0
//
// The write path of the columnar store: into the log, then into the head. Belongs to the log thread.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "otlp/batch.h"
#include "store/columnar/parts/parts_table.h"
#include "store/columnar/write/head_filler.h"
#include "store/head/followed_spans.h"
#include "store/head/incoming.h"
#include "store/log/log_writer.h"

namespace spanloom::store::columnar {

// Of appends that were refused, by cause.
inline constexpr struct {
  std::string_view name;
  std::string_view help;
} kRefusedAppends = {"spanloom_store_refused_appends", "Batches that the store did not take."};

// When the log is forced to the device.
enum class SyncMode {
  kAlways,    // before a batch is acknowledged: a loss of power loses nothing
  kInterval,  // every sync_interval: a loss of power loses at most what was acknowledged since
  kNever,  // when the system thinks so: the end of the process loses nothing, a loss of power what it had not written
};

// As ColumnarStoreOptions says.
struct IngestOptions {
  SyncMode sync = SyncMode::kAlways;
  std::chrono::milliseconds sync_interval{0};
  size_t head_bytes = 0;
  std::chrono::milliseconds idle_flush{0};
  std::chrono::milliseconds age_flush{0};
};

// Sequence-bound: the log thread. All that it is given must outlive it.
class Ingest {
 public:
  Ingest(const IngestOptions& options, PartsTable& parts, head::FollowedSpans& recent, log::LogWriter& log,
         MetricRegistry& metrics, const Clock& clock);

  // Writes the batches to the log, makes them as safe as the options say, and adds them to the head. [batches]: how it
  // went. After an error of the log none of them is in the head.
  std::vector<Status> Write(std::span<const otlp::Batch> batches);

  // Adds what the log gave back at start.
  void Recover(const otlp::Batch& batch, uint64_t sequence);

  // True if the filling head is to be exchanged: it is large, old, or nothing was added to it for a while.
  [[nodiscard]] bool IsFlushDue() const;
  // To be told when the heads were exchanged. Returns the sequence up to which frames lie in the full one.
  uint64_t OnExchanged();

  // As HeadFiller::OnRemoved.
  void OnRemoved() { head_.OnRemoved(); }

  // For SyncMode::kInterval: forces the log to the device if that is due.
  Status SyncIfDue();

  // Spans that came again with the same bytes, ever; from any thread.
  [[nodiscard]] uint64_t duplicates() const { return head_.duplicates(); }
  // Bytes of the requests that the filling head holds spans of; from any thread.
  [[nodiscard]] size_t head_bytes() const { return head_.bytes(); }
  [[nodiscard]] bool head_is_empty() const { return head_.spans() == 0; }

 private:
  // The first requests by trace.
  static std::vector<head::IncomingBatch> SplitFirst(std::span<const Bytes> requests);
  // Forces what was appended to the device, if a batch is to be acknowledged only then.
  Status MakeSafe();
  // `bytes`: what the request keeps in memory, at most.
  void AddToHead(head::IncomingBatch batch, size_t bytes);
  const IngestOptions options_;
  log::LogWriter& log_;
  const Clock& clock_;
  Histogram& commits_;
  Counter& refused_;

  HeadFiller head_;
  uint64_t head_sequence_ = 0;  // of the last frame in the filling head
  int64_t first_added_ns_ = 0;  // Clock::SteadyNs, of the filling head
  int64_t last_added_ns_ = 0;
  int64_t synced_ns_ = 0;
  bool has_unsynced_ = false;
};

}  // namespace spanloom::store::columnar
