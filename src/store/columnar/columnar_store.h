// SPDX-License-Identifier: Apache-2.0
//
// The embedded store: what it acknowledged is in a log on disk, what the log has is in memory, what memory had is in
// segments. docs/formats/ has the files.

#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "base/status.h"
#include "base/worker_pool.h"
#include "store/columnar/catalogue/catalogue.h"
#include "store/columnar/columnar_store_options.h"
#include "store/columnar/merge/compactor.h"
#include "store/columnar/merge/purger.h"
#include "store/columnar/merge/request_filler.h"
#include "store/columnar/merge/segment_exchange.h"
#include "store/columnar/parts/damage_counter.h"
#include "store/columnar/parts/parts_table.h"
#include "store/columnar/parts/request_files.h"
#include "store/columnar/parts/segment_directory.h"
#include "store/columnar/read/columnar_queries.h"
#include "store/columnar/retain/retainer.h"
#include "store/columnar/write/flusher.h"
#include "store/columnar/write/ingest.h"
#include "store/head/followed_spans.h"
#include "store/head/write_queue.h"
#include "store/log/log_reader.h"
#include "store/log/log_writer.h"
#include "store/span_store.h"

namespace spanloom::store::columnar {

// Thread-safe. Threads of its own: the log thread (Ingest), the background thread (Flusher), one that merges segments
// (Compactor) and writes request rows (RequestFiller), and one that looks for what retention removes (Retainer).
// Questions are answered on the caller's thread and never hold up writes.
//
// A batch is refused with kUnavailable and a delay when it could not be written to the log, or when the head is full
// because segments can't be written; refused batches are counted by cause.
class ColumnarStore final : public SpanStore {
 public:
  // What was found at start.
  struct Opened {
    std::unique_ptr<ColumnarStore> store;
    log::RecoveryReport log;
    size_t segments = 0;
    std::vector<std::string> damaged_segments;  // paths of files that can't be read and are left out; why is in the log
  };

  // Opens the directory, or begins a store in it; reads the log's frames that no segment has. `disk`, `metrics` and
  // `clock` must outlive the store. Errors: kInvalidArgument (options), those of the disk, the catalogue and the log.
  // Without a deriver there are no request rows.
  static StatusOr<Opened> Open(const ColumnarStoreOptions& options, disk::Disk& disk, MetricRegistry& metrics,
                               const Clock& clock, RequestDeriver deriver = {});
  // As Stop().
  ~ColumnarStore() override;

  // Writes what waits, puts the head into a segment, and takes no more. Errors: the segment could not be written; what
  // it would have had is in the log.
  Status Stop();

  // Puts what is stored so far into segments. Errors: those of Flusher::Write.
  Status Flush();

  // Merges segments until none is to be merged. Errors: those of Compactor::MergeOnce.
  Status Compact();

  // Writes the request rows of segments whose time has come, until there is none. What fails is counted. kCancelled
  // after Stop().
  Status FillRequests();

  // How many segments there are, and what Compact() would read of them.
  struct MergeWork {
    size_t segments = 0;
    uint64_t bytes = 0;
  };
  [[nodiscard]] MergeWork WorkLeft() const;

  [[nodiscard]] Capabilities capabilities() const override;
  StatusOr<std::unique_ptr<Reservation>> Reserve(const otlp::Batch& batch) override;
  [[nodiscard]] StatusOr<Trace> GetTrace(const otlp::TraceId& id, const TimeRange& starts,
                                         const ReadLimits& limits) const override;
  [[nodiscard]] StatusOr<std::unique_ptr<SpanCursor>> Fetch(FetchPlan plan) const override;
  [[nodiscard]] StatusOr<AggregateAnswer> Aggregate(const AggregatePlan& plan) const override;
  [[nodiscard]] StatusOr<TailBatch> Tail(const FetchPlan& plan, std::optional<TailPosition> position,
                                         size_t spans_max) const override;
  [[nodiscard]] StatusOr<RowPage<TraceRow>> Traces(const RowQuery<TraceColumn>& query) const override;
  [[nodiscard]] StatusOr<AggregateAnswer> GroupTraces(const RowGroupQuery<TraceColumn>& query) const override;
  [[nodiscard]] StatusOr<RowPage<RequestRow>> Requests(const RowQuery<RequestColumn>& query) const override;
  [[nodiscard]] StatusOr<AggregateAnswer> GroupRequests(const RowGroupQuery<RequestColumn>& query) const override;
  [[nodiscard]] StatusOr<std::vector<ServiceName>> Services(const NameQuery& query) const override;
  [[nodiscard]] StatusOr<std::vector<OperationName>> Operations(const std::string& service,
                                                                const NameQuery& query) const override;
  [[nodiscard]] StatusOr<std::vector<KeyName>> Keys(const NameQuery& query) const override;
  [[nodiscard]] StatusOr<std::vector<FieldValue>> Values(const ValueQuery& query) const override;
  StatusOr<Removed> SetRetention(const RetentionPolicy& policy) override;
  StatusOr<Removed> Purge(const PurgePlan& plan) override;
  [[nodiscard]] StoreStats Stats() const override;

 private:
  ColumnarStore(const ColumnarStoreOptions& options, disk::Disk& disk, MetricRegistry& metrics, const Clock& clock,
                RequestDeriver deriver, catalogue::Catalogue catalogue, const log::LogEnd& log_end);
  static StatusOr<log::RecoveryReport> Recover(const std::string& directory, disk::Disk& disk, uint64_t log_position,
                                               std::vector<std::pair<uint64_t, otlp::Batch>>& batches);
  Status OpenSegments(std::vector<std::string>& damaged);
  std::string SetAside(const catalogue::SegmentRow& row, const Status& why);
  void RegisterMetrics(MetricRegistry& metrics);
  [[nodiscard]] bool has_requests() const { return deriver_.derive != nullptr; }

  // On the log thread, after each group of batches and about every second.
  void Tick();
  // True if there is a full head to be written now.
  bool ExchangeHeads() ABSL_EXCLUSIVE_LOCKS_REQUIRED(ingest_mutex_);
  void CountDuplicates() ABSL_EXCLUSIVE_LOCKS_REQUIRED(ingest_mutex_);
  void FlushSoon();
  // Gives memory that is free back to the system, once after each time that spans came and were written, or those that
  // were kept for readers are not any more.
  void TrimWhenIdle();
  // Merges segments on the thread for that, if there may be something to merge and it is not at it.
  void CompactSoon();
  Status CompactAll();
  // The same for request rows; a segment at a time, so that others who wait for the thread come between.
  void FillSoon();
  void Fill();
  // On the background thread.
  Status FlushFull();
  StatusOr<std::shared_ptr<const Segment>> WriteFull(const head::LockedTable& full, uint64_t position);
  // Runs `task` while the log thread adds nothing.
  void RunBetweenAdds(absl::FunctionRef<void()> task);
  // Runs `task` on the background thread and waits.
  void RunInBackground(absl::FunctionRef<void()> task) const { RunOn(background_, task); }
  static void RunOn(WorkerPool& threads, absl::FunctionRef<void()> task);

  const ColumnarStoreOptions options_;
  const Clock& clock_;
  Counter& spans_duplicate_;
  Counter& spans_expired_;
  Counter& spans_purged_;
  mutable DamageCounter damage_;  // counts for questions
  Counter& flushes_failed_;
  TaskMeter flushes_;
  Counter& refused_head_full_;
  Counter& refused_queue_full_;
  Counter& refused_too_large_;

  PartsTable parts_;
  mutable head::FollowedSpans recent_;  // are kept because of questions
  const RequestDeriver deriver_;
  const ColumnarQueries queries_;
  catalogue::Catalogue catalogue_;  // the background thread's
  SegmentDirectory segments_;       // the same, but for files
  Flusher flusher_;                 // the same
  SegmentExchange exchange_;        // the same
  Compactor compactor_;             // the same, and compacting_'s
  Purger purger_;                   // compacting_'s
  RequestFiles request_files_;      // the same
  RequestFiller filler_;            // the same

  Mutex ingest_mutex_;  // held for a group of batches
  log::LogWriter log_ ABSL_GUARDED_BY(ingest_mutex_);
  Ingest ingest_;  // guarded by ingest_mutex_, but for what may be read from any thread
  uint64_t duplicates_counted_ ABSL_GUARDED_BY(ingest_mutex_) = 0;  // of ingest_.duplicates()

  std::atomic<uint64_t> full_position_ = 0;     // frames of the log up to it lie in the full head, or before
  std::atomic<uint64_t> flushed_position_ = 0;  // the same of segments
  std::atomic<bool> is_flush_queued_ = false;
  std::atomic<int64_t> flush_not_before_ns_ = 0;  // Clock::SteadyNs; later after a flush that failed

  std::atomic<bool> may_compact_ = true;  // something has changed since there was nothing to merge
  std::atomic<bool> is_compaction_queued_ = false;
  std::atomic<int64_t> compact_not_before_ns_ = 0;  // Clock::SteadyNs; later after a merge that failed

  std::atomic<uint64_t> fill_due_unix_ns_ = 0;  // request rows; 0: the parts have changed
  std::atomic<bool> is_fill_queued_ = false;
  uint64_t damage_seen_ = 0;  // of damage_; the log thread's

  mutable WorkerPool background_;  // ends before all of the above, which its tasks use
  WorkerPool compacting_;          // ends before it, whose help its tasks need
  Retainer retainer_;              // the same
  head::WriteQueue queue_;         // ends first
  std::vector<ScopedGauge> gauges_;
};

}  // namespace spanloom::store::columnar
