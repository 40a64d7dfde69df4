// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/columnar_store.h"

#include <malloc.h>

#include <algorithm>
#include <limits>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "otlp/request.h"
#include "store/columnar/parts/directory_layout.h"
#include "store/columnar/parts/split_search.h"
#include "store/columnar/read/parts_traces.h"
#include "store/head/purged_spans.h"
#include "store/head/tail_reader.h"

namespace spanloom::store::columnar {
namespace {

constexpr size_t kGroupBatchesMax = 256;                    // written to the log together; guess
constexpr std::chrono::seconds kFlushRetry{5};              // after a segment that could not be written; guess
constexpr std::chrono::seconds kCompactionRetry{60};        // after a merge that failed; guess
constexpr std::chrono::milliseconds kHeadFullDelay{1'000};  // told to who is refused; guess

}  // namespace

Status ColumnarStoreOptions::Validate() const {
  if (directory.empty()) return absl::InvalidArgumentError("a columnar store needs a directory");
  if (queue_bytes_max == 0 || head_bytes == 0 || compaction_bytes_per_second == 0 || request_bytes_per_second == 0) {
    return absl::InvalidArgumentError(
        "queue_bytes_max, head_bytes, compaction_bytes_per_second and request_bytes_per_second must be positive");
  }
  if (head_bytes_max < head_bytes) {
    return absl::InvalidArgumentError(
        StrCat("head_bytes_max is ", head_bytes_max, "; it must be at least head_bytes, ", head_bytes));
  }
  return absl::OkStatus();
}

StatusOr<ColumnarStore::Opened> ColumnarStore::Open(const ColumnarStoreOptions& options, disk::Disk& disk,
                                                    MetricRegistry& metrics, const Clock& clock,
                                                    RequestDeriver deriver) {
  RETURN_IF_ERROR(options.Validate());
  const std::string segments = disk::Join(options.directory, kSegmentDirectory);
  RETURN_IF_ERROR(disk.CreateDirectory(segments));
  RETURN_IF_ERROR(disk.CreateDirectory(disk::Join(options.directory, kLogDirectory)));
  RETURN_IF_ERROR(disk.SyncDirectory(options.directory));
  ASSIGN_OR_RETURN(const std::vector<std::string> files, disk.List(segments));
  const auto if_missing = std::ranges::any_of(files, [](const std::string& file) { return file.ends_with(".seg"); })
                              ? catalogue::IfMissing::kRefuse
                              : catalogue::IfMissing::kCreate;
  ASSIGN_OR_RETURN(catalogue::Catalogue catalogue,
                   catalogue::Catalogue::Open(disk, options.directory, clock, if_missing));
  std::vector<std::pair<uint64_t, otlp::Batch>> batches;
  Opened opened;
  ASSIGN_OR_RETURN(opened.log, Recover(options.directory, disk, catalogue.log_position(), batches));
  std::unique_ptr<ColumnarStore> store(
      new ColumnarStore(options, disk, metrics, clock, std::move(deriver), std::move(catalogue), opened.log.end));
  RETURN_IF_ERROR(store->OpenSegments(opened.damaged_segments));
  for (const auto& [sequence, batch] : batches) store->ingest_.Recover(batch, sequence);
  opened.segments = store->parts_.Now().segments.size();
  // Takes a tenth of a second for ten million spans; until then each segment is asked.
  static_cast<void>(store->background_.Submit([&parts = store->parts_] { parts.GroupSegments(); }));
  store->queue_.SetTicking(true);
  opened.store = std::move(store);
  return opened;
}

StatusOr<log::RecoveryReport> ColumnarStore::Recover(const std::string& directory, disk::Disk& disk,
                                                     uint64_t log_position,
                                                     std::vector<std::pair<uint64_t, otlp::Batch>>& batches) {
  return log::RecoverLog(disk, disk::Join(directory, kLogDirectory), disk::Join(directory, kDamagedDirectory),
                         log_position, [&](const log::LogFrame& frame) -> Status {
                           StatusOr<otlp::Slice> slice = otlp::ReadTraces(frame.payload);
                           if (!slice.ok()) return Annotate(slice.status(), StrCat("frame ", frame.sequence));
                           batches.emplace_back(frame.sequence, otlp::Batch(*std::move(slice)));
                           return absl::OkStatus();
                         });
}

ColumnarStore::ColumnarStore(const ColumnarStoreOptions& options, disk::Disk& disk, MetricRegistry& metrics,
                             const Clock& clock, RequestDeriver deriver, catalogue::Catalogue catalogue,
                             const log::LogEnd& log_end)
    : options_(options),
      clock_(clock),
      spans_duplicate_(
          metrics.GetCounter("spanloom_store_duplicate_spans", "Spans that were delivered again with the same bytes.")),
      spans_expired_(metrics.GetCounter("spanloom_store_expired_spans", "Spans removed by the retention policy.")),
      spans_purged_(metrics.GetCounter("spanloom_store_purged_spans", "Spans removed on request.")),
      damage_(metrics),
      flushes_failed_(metrics.GetCounter("spanloom_store_failed_flushes", "Segments that could not be written.")),
      flushes_(metrics, {.count = "spanloom_store_flushes",
                         .count_help = "Times that what was in memory was written to a segment.",
                         .seconds = "spanloom_store_flush_seconds",
                         .seconds_help = "Time spent writing what was in memory to segments since the start."}),
      refused_head_full_(metrics.GetCounter(kRefusedAppends.name, kRefusedAppends.help, {{"cause", "head_full"}})),
      refused_queue_full_(metrics.GetCounter(kRefusedAppends.name, kRefusedAppends.help, {{"cause", "queue_full"}})),
      refused_too_large_(metrics.GetCounter(kRefusedAppends.name, kRefusedAppends.help, {{"cause", "too_large"}})),
      recent_(options.recent, clock),
      deriver_(std::move(deriver)),
      queries_(parts_, damage_, clock, deriver_),
      catalogue_(std::move(catalogue)),
      segments_(disk, options.directory, catalogue_, clock),
      flusher_(segments_),
      exchange_(segments_, parts_),
      // A flush needs about as much as its head at most.
      compactor_({.policy = options.compaction,
                  .bytes_per_second = options.compaction_bytes_per_second,
                  .reserve_bytes = options.head_bytes},
                 segments_, parts_, exchange_, metrics, clock,
                 [this](absl::FunctionRef<void()> task) { RunInBackground(task); }),
      purger_(segments_, parts_, exchange_, clock, [this](absl::FunctionRef<void()> task) { RunInBackground(task); }),
      request_files_(disk, disk::Join(options.directory, kSegmentDirectory)),
      filler_({.bytes_per_second = options.request_bytes_per_second, .reserve_bytes = options.head_bytes}, segments_,
              request_files_, parts_, deriver_, damage_, metrics, clock,
              [this](absl::FunctionRef<void()> task) { RunInBackground(task); }),
      log_(disk, disk::Join(options.directory, kLogDirectory), log_end),
      ingest_({.sync = options.sync,
               .sync_interval = options.sync_interval,
               .head_bytes = options.head_bytes,
               .idle_flush = options.idle_flush,
               .age_flush = options.age_flush},
              parts_, recent_, log_, metrics, clock),
      flushed_position_(catalogue_.log_position()),
      background_("spanloom-back", 1, 64),
      compacting_("spanloom-merge", 1, 64),
      retainer_(
          segments_, parts_, exchange_, spans_expired_, clock,
          [this](absl::FunctionRef<void()> task) { RunInBackground(task); },
          [this](absl::FunctionRef<void()> task) { RunBetweenAdds(task); }),
      queue_(
          {.name = "columnar store", .bytes_max = options.queue_bytes_max, .group_batches_max = kGroupBatchesMax},
          [this](std::span<const otlp::Batch> batches) {
            const MutexLock lock(ingest_mutex_);
            auto answers = ingest_.Write(batches);
            CountDuplicates();  // before anybody is answered
            return answers;
          },
          [this] { Tick(); }) {
  RegisterMetrics(metrics);
}

void ColumnarStore::RegisterMetrics(MetricRegistry& metrics) {
  const auto add = [&](std::string_view name, std::string_view help, std::function<double()> read) {
    gauges_.push_back(metrics.AddGauge(name, help, {}, std::move(read)));
  };
  add("spanloom_store_head_bytes", "Bytes of the requests whose spans are in memory and in no segment yet.",
      [this] { return static_cast<double>(ingest_.head_bytes()); });
  add("spanloom_store_queue_bytes", "Bytes of requests that wait to be stored, or that room is kept for.",
      [this] { return static_cast<double>(queue_.bytes()); });
  add("spanloom_store_segment_bytes", "Bytes of the files of segments.", [this] {
    uint64_t bytes = 0;
    for (const auto& segment : parts_.Now().segments) bytes += segment->row().bytes;
    return static_cast<double>(bytes);
  });
  add("spanloom_store_segments", "Segments.", [this] { return static_cast<double>(parts_.Now().segments.size()); });
}

Status ColumnarStore::OpenSegments(std::vector<std::string>& damaged) {
  RETURN_IF_ERROR(segments_.RemoveLeftovers());
  for (const catalogue::SegmentRow& row : segments_.catalogue().ByArrival()) {
    StatusOr<std::shared_ptr<const Segment>> segment = segments_.Open(row);
    if (segment.ok()) {
      parts_.AddSegment(has_requests() ? filler_.WithRequests(*std::move(segment)) : *std::move(segment));
    } else if (absl::IsDataLoss(segment.status()) || absl::IsNotFound(segment.status())) {
      damaged.push_back(SetAside(row, segment.status()));
    } else {
      return segment.status();
    }
  }
  FindSplitTraces(parts_);
  return absl::OkStatus();
}

// Returns where the file is, or should be. One that is not there stays in the catalogue: it may come back.
std::string ColumnarStore::SetAside(const catalogue::SegmentRow& row, const Status& why) {
  const std::string path = disk::Join(disk::Join(options_.directory, kSegmentDirectory), row.file);
  if (absl::IsNotFound(why)) {
    damage_.Add(StrCat("the catalogue names it, and it is not there: ", why.message()));
    return path;
  }
  const StatusOr<std::string> aside = segments_.SetAside(row, disk::Join(options_.directory, kDamagedDirectory));
  if (aside.ok()) {
    damage_.Add(StrCat(why.message(), "; the file is set aside as ", *aside));
    return *aside;
  }
  damage_.Add(StrCat(why.message(), "; the file stays, since it can't be set aside: ", aside.status().message()));
  return path;
}

ColumnarStore::~ColumnarStore() {
  Stop().IgnoreError();  // said by who stops; what is not in a segment is in the log
}

Status ColumnarStore::Stop() {
  queue_.Stop();
  compactor_.Stop();
  filler_.Stop();
  retainer_.Stop();
  RETURN_IF_ERROR(Flush());
  const MutexLock lock(ingest_mutex_);
  return log_.TrimTo(flushed_position_);
}

Status ColumnarStore::Flush() {
  Status status;
  RunInBackground([&] { status = FlushFull(); });  // the one that is full already
  RETURN_IF_ERROR(status);
  {
    const MutexLock lock(ingest_mutex_);
    if (!ExchangeHeads()) return absl::OkStatus();
  }
  RunInBackground([&] { status = FlushFull(); });
  return status;
}

void ColumnarStore::RunOn(WorkerPool& threads, absl::FunctionRef<void()> task) {
  Notification done;
  const auto run = [&] {
    task();
    done.Notify();
  };
  while (!threads.Submit(run)) std::this_thread::yield();  // it has room for far more than ever waits
  done.Wait();
}

bool ColumnarStore::ExchangeHeads() {
  if (ingest_.head_is_empty()) return parts_.Now().full != nullptr;
  if (!parts_.ExchangeHeads()) return true;
  full_position_ = ingest_.OnExchanged();
  return true;
}

void ColumnarStore::FlushSoon() {
  if (clock_.SteadyNs() < flush_not_before_ns_ || is_flush_queued_.exchange(true)) return;
  const bool queued = background_.Submit([this] {
    FlushFull().IgnoreError();  // counted and said there
    TrimWhenIdle();
    is_flush_queued_ = false;
  });
  if (!queued) is_flush_queued_ = false;
}

Status ColumnarStore::FlushFull() {
  const Parts parts = parts_.Now();
  if (parts.full == nullptr) return absl::OkStatus();
  const uint64_t position = full_position_;
  const int64_t begin_ns = clock_.SteadyNs();
  StatusOr<std::shared_ptr<const Segment>> segment = WriteFull(*parts.full, position);
  if (!segment.ok()) {
    flushes_failed_.Add(1);
    flush_not_before_ns_ = clock_.SteadyNs() + std::chrono::nanoseconds(kFlushRetry).count();
    Log(LogLevel::kError, "a segment could not be written; it is tried again, and the log keeps what it would have had",
        {{"why", segment.status().message()}});
    return segment.status();
  }
  parts_.FinishFull(*std::move(segment));
  flushed_position_ = position;
  flushes_.Add(clock_.SteadyNs() - begin_ns);
  may_compact_ = true;
  fill_due_unix_ns_ = 0;
  CompactSoon();
  return absl::OkStatus();
}

// A head leaves a hundred megabytes and more to the allocator, which keeps them for the next one. While spans come that
// is right: fresh memory costs page faults. Takes a few milliseconds.
void ColumnarStore::TrimWhenIdle() {
  if (ingest_.head_bytes() == 0) malloc_trim(0);
}

StatusOr<std::shared_ptr<const Segment>> ColumnarStore::WriteFull(const head::LockedTable& full, uint64_t position) {
  RETURN_IF_ERROR(exchange_.Settle());
  return flusher_.Write(full, position);
}

Status ColumnarStore::Compact() {
  Status status;
  RunOn(compacting_, [&] { status = CompactAll(); });
  return status;
}

void ColumnarStore::CompactSoon() {
  if (!options_.compacts_by_itself || !may_compact_ || compactor_.is_stopped()) return;
  if (clock_.SteadyNs() < compact_not_before_ns_ || is_compaction_queued_.exchange(true)) return;
  const bool is_queued = compacting_.Submit([this] {
    CompactAll().IgnoreError();  // counted and said there
    is_compaction_queued_ = false;
  });
  if (!is_queued) is_compaction_queued_ = false;
}

Status ColumnarStore::CompactAll() {
  may_compact_ = false;
  fill_due_unix_ns_ = 0;
  while (true) {
    const StatusOr<bool> merged = compactor_.MergeOnce();
    if (merged.ok() && *merged) continue;
    if (merged.ok()) {
      if (compactor_.has_waiting()) may_compact_ = true;
      return absl::OkStatus();
    }
    may_compact_ = true;
    compact_not_before_ns_ = clock_.SteadyNs() + std::chrono::nanoseconds(kCompactionRetry).count();
    return merged.status();
  }
}

// Damage that a question has met may be that of a file of rows.
void ColumnarStore::FillSoon() {
  if (damage_.count() != std::exchange(damage_seen_, damage_.count())) fill_due_unix_ns_ = 0;
  if (!options_.compacts_by_itself || !has_requests() || filler_.is_stopped()) return;
  if (static_cast<uint64_t>(clock_.UnixNs()) < fill_due_unix_ns_ || is_fill_queued_.exchange(true)) return;
  const bool is_queued = compacting_.Submit([this] {
    Fill();
    is_fill_queued_ = false;
  });
  if (!is_queued) is_fill_queued_ = false;
}

// Whoever changes the parts meanwhile sets it to 0, which stays.
void ColumnarStore::Fill() {
  fill_due_unix_ns_ = RequestFiller::kNever;
  if (!filler_.FillOnce().ok()) return;  // the store stops
  uint64_t never = RequestFiller::kNever;
  fill_due_unix_ns_.compare_exchange_strong(never, filler_.DueUnixNs());
}

Status ColumnarStore::FillRequests() {
  Status status;
  if (!has_requests()) return status;
  RunOn(compacting_, [&] {
    StatusOr<bool> filled = true;
    while (filled.ok() && *filled) filled = filler_.FillOnce();
    status = filled.status();
  });
  return status;
}

ColumnarStore::MergeWork ColumnarStore::WorkLeft() const {
  std::vector<MergeCandidate> candidates;
  const Parts parts = parts_.Now();
  const int64_t now_ns = clock_.SteadyNs();
  for (const auto& segment : parts.segments) candidates.push_back(CandidateOf(*segment, now_ns));
  const size_t segments = candidates.size();
  return {.segments = segments, .bytes = options_.compaction.BytesToMerge(std::move(candidates))};
}

void ColumnarStore::CountDuplicates() {
  const uint64_t duplicates = ingest_.duplicates();
  spans_duplicate_.Add(duplicates - std::exchange(duplicates_counted_, duplicates));
}

void ColumnarStore::Tick() {
  {
    const MutexLock lock(ingest_mutex_);
    const Status synced = ingest_.SyncIfDue();
    if (!synced.ok()) Log(LogLevel::kError, "the log could not be forced to the disk", {{"why", synced.message()}});
    CountDuplicates();
    const Status trimmed = log_.TrimTo(flushed_position_);
    if (!trimmed.ok()) Log(LogLevel::kWarn, "a file of the log could not be removed", {{"why", trimmed.message()}});
    if (ingest_.IsFlushDue()) ExchangeHeads();
  }
  if (parts_.Now().full != nullptr) FlushSoon();
  CompactSoon();
  FillSoon();
  retainer_.ApplySoon();
  if (recent_.ForgetIfUnfollowed()) TrimWhenIdle();
}

StatusOr<Removed> ColumnarStore::SetRetention(const RetentionPolicy& policy) {
  return retainer_.SetPolicy(policy);
}

void ColumnarStore::RunBetweenAdds(absl::FunctionRef<void()> task) {
  const MutexLock lock(ingest_mutex_);
  task();
  ingest_.OnRemoved();
  may_compact_ = true;
}

// What was stored before is in segments then, and merges wait.
StatusOr<Removed> ColumnarStore::Purge(const PurgePlan& plan) {
  RETURN_IF_ERROR(plan.where.Validate());
  RETURN_IF_ERROR(Flush());
  StatusOr<Removed> removed;
  RunOn(compacting_, [&] { removed = purger_.Purge(plan); });
  RETURN_IF_ERROR(removed.status());
  PartsTraces traces(parts_, damage_);
  head::ForgetPurged(plan, recent_, traces, clock_);
  {
    const MutexLock lock(ingest_mutex_);
    ingest_.OnRemoved();
    RETURN_IF_ERROR(log_.TrimTo(flushed_position_));
  }
  spans_purged_.Add(removed->spans);
  if (removed->spans > 0) may_compact_ = true;
  fill_due_unix_ns_ = 0;
  return removed;
}

Capabilities ColumnarStore::capabilities() const {
  return {.durability = options_.sync == SyncMode::kAlways ? Durability::kPower : Durability::kCrash,
          .aggregate = true,
          .tail = true,
          .requests = has_requests(),
          .purge = true,
          .quantile_error = QuantileSketch::kRelativeError};
}

StatusOr<std::unique_ptr<Reservation>> ColumnarStore::Reserve(const otlp::Batch& batch) {
  const Parts parts = parts_.Now();
  if (parts.full != nullptr && ingest_.head_bytes() >= options_.head_bytes_max - options_.head_bytes) {
    refused_head_full_.Add(1);
    return WithRetryDelay(
        absl::UnavailableError(StrCat("columnar store: ", options_.head_bytes_max,
                                      " bytes wait to be written to a segment; see the log for what holds it up")),
        kHeadFullDelay);
  }
  StatusOr<std::unique_ptr<Reservation>> reservation = queue_.Reserve(batch);
  if (!reservation.ok()) (absl::IsUnavailable(reservation.status()) ? refused_queue_full_ : refused_too_large_).Add(1);
  return reservation;
}

StatusOr<Trace> ColumnarStore::GetTrace(const otlp::TraceId& id, const TimeRange& starts,
                                        const ReadLimits& limits) const {
  return queries_.GetTrace(id, starts, limits);
}

StatusOr<std::unique_ptr<SpanCursor>> ColumnarStore::Fetch(FetchPlan plan) const {
  return queries_.Fetch(std::move(plan));
}

StatusOr<AggregateAnswer> ColumnarStore::Aggregate(const AggregatePlan& plan) const {
  return queries_.Aggregate(plan);
}

StatusOr<TailBatch> ColumnarStore::Tail(const FetchPlan& plan, std::optional<TailPosition> position,
                                        size_t spans_max) const {
  PartsTraces traces(parts_, damage_);
  return head::ReadTail(plan, position, spans_max, recent_, traces, clock_);
}

StatusOr<RowPage<TraceRow>> ColumnarStore::Traces(const RowQuery<TraceColumn>& query) const {
  return queries_.Traces(query);
}

StatusOr<AggregateAnswer> ColumnarStore::GroupTraces(const RowGroupQuery<TraceColumn>& query) const {
  return queries_.GroupTraces(query);
}

StatusOr<RowPage<RequestRow>> ColumnarStore::Requests(const RowQuery<RequestColumn>& query) const {
  return has_requests() ? queries_.Requests(query) : SpanStore::Requests(query);
}

StatusOr<AggregateAnswer> ColumnarStore::GroupRequests(const RowGroupQuery<RequestColumn>& query) const {
  return has_requests() ? queries_.GroupRequests(query) : SpanStore::GroupRequests(query);
}

StatusOr<std::vector<ServiceName>> ColumnarStore::Services(const NameQuery& query) const {
  return queries_.Services(query);
}

StatusOr<std::vector<OperationName>> ColumnarStore::Operations(const std::string& service,
                                                               const NameQuery& query) const {
  return queries_.Operations(service, query);
}

StatusOr<std::vector<KeyName>> ColumnarStore::Keys(const NameQuery& query) const {
  return queries_.Keys(query);
}

StatusOr<std::vector<FieldValue>> ColumnarStore::Values(const ValueQuery& query) const {
  return queries_.Values(query);
}

StoreStats ColumnarStore::Stats() const {
  StoreStats stats;
  uint64_t taken_back = 0;
  const Parts parts = parts_.Now(taken_back);
  uint64_t oldest = std::numeric_limits<uint64_t>::max();
  for (const auto& segment : parts.segments) {
    stats.traces += segment->traces_left();
    stats.spans += segment->spans_left();
    stats.bytes += segment->bytes_left();
    oldest = std::min(oldest, segment->row().first_start_unix_ns);
    stats.newest_unix_ns = std::max(stats.newest_unix_ns, segment->row().last_start_unix_ns);
  }
  for (const head::LockedTable* const table : {parts.full.get(), parts.filling.get()}) {
    if (table == nullptr) continue;
    const MutexLock lock(table->mutex);
    if (table->table.traces() == 0) continue;
    stats.traces += table->table.traces();
    stats.spans += table->table.spans();
    stats.bytes += table->table.bytes();
    const head::StartRange starts = table->table.Starts();
    oldest = std::min(oldest, starts.earliest);
    stats.newest_unix_ns = std::max(stats.newest_unix_ns, starts.latest);
  }
  // A trace is known as split before it comes to a second part, so this comes after the sum.
  stats.traces -= std::min(stats.traces, parts_.split().ExcessOf(taken_back));
  stats.oldest_unix_ns = stats.spans == 0 ? 0 : oldest;
  stats.spans_expired = spans_expired_.value();
  stats.spans_purged = spans_purged_.value();
  stats.spans_duplicate = ingest_.duplicates();
  return stats;
}

}  // namespace spanloom::store::columnar
