// SPDX-License-Identifier: Apache-2.0
//
// Writes the request rows of segments beside them, so that lists and heatmaps of requests read rows and no spans.
// Which rows there are is the deriver's business; they are written when they have had time to become final, and again
// where some had not. docs/formats/requests.md.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "base/task_meter.h"
#include "store/columnar/merge/pace.h"
#include "store/columnar/parts/damage_counter.h"
#include "store/columnar/parts/parts_table.h"
#include "store/columnar/parts/request_files.h"
#include "store/columnar/parts/run_in_background.h"
#include "store/columnar/parts/segment_directory.h"
#include "store/request_row.h"

namespace spanloom::store::columnar {

struct RequestFillerOptions {
  uint64_t bytes_per_second = 0;  // of segments, read
  uint64_t reserve_bytes = 0;     // of the disk that derived data leaves free
};

// All that it is given must outlive it. Memory: a trace, a few pages, and a chunk of rows.
class RequestFiller {
 public:
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();
  // After a segment was made: a request is provisional for 10 s after its last span, and arrives a bit late. Guess.
  static constexpr uint64_t kPatienceNs = 15'000'000'000;
  static constexpr uint64_t kRetryNs = 60'000'000'000;  // after a failure; guess
  static constexpr size_t kTraceBytesMax = 64U << 20;   // a larger trace is not covered; guess

  RequestFiller(const RequestFillerOptions& options, SegmentDirectory& segments, RequestFiles& files, PartsTable& parts,
                const RequestDeriver& deriver, DamageCounter& damage, MetricRegistry& metrics, const Clock& clock,
                RunInBackground run_in_background);

  // Opens the file that a segment has, if it has one that is of use. At start.
  [[nodiscard]] std::shared_ptr<const Segment> WithRequests(std::shared_ptr<const Segment> segment);

  // Writes the rows of one segment whose time has come; false if there is none. One that could not be written is
  // counted and said, and its time comes again. On the thread that merges. kCancelled after Stop().
  StatusOr<bool> FillOnce();

  // When there is something to do, Unix ns, as the parts are now; kNever. On the same thread.
  [[nodiscard]] uint64_t DueUnixNs() const;

  // Ends what is under way, soon, and all that would come later. From any thread.
  void Stop() { pace_.Stop(); }
  [[nodiscard]] bool is_stopped() const { return pace_.is_stopped(); }

 private:
  [[nodiscard]] uint64_t DueOf(const Segment& segment) const;
  StatusOr<uint64_t> Write(const Segment& segment, uint64_t now_unix_ns);
  Status AddTraces(const Segment& segment, uint64_t now_unix_ns, RequestFileBuilder& builder);
  Status AddTrace(const TracePlace& place, uint64_t now_unix_ns, SegmentBlocks& blocks, RequestFileBuilder& builder);
  // On the background thread.
  Status Attach(const Segment& segment);
  Status CheckRoom(const Segment& segment);
  void CountFailure(std::string_view cause, const Status& status);

  const RequestFillerOptions options_;
  SegmentDirectory& segments_;
  RequestFiles& files_;
  PartsTable& parts_;
  const RequestDeriver& deriver_;
  DamageCounter& damage_;
  MetricRegistry& metrics_;
  const Clock& clock_;
  RunInBackground run_in_background_;
  Pace pace_;
  TaskMeter fills_;
  Counter& rows_;
  absl::flat_hash_map<uint64_t, uint64_t> not_before_unix_ns_;  // by id of segments that could not be written
};

}  // namespace spanloom::store::columnar
