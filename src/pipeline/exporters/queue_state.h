// SPDX-License-Identifier: Apache-2.0
//
// What a sending queue does on its loop: known to queue.cc alone.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/retry_backoff.h"
#include "base/rng.h"
#include "pipeline/drops.h"
#include "pipeline/exporters/export_counters.h"
#include "pipeline/exporters/queue.h"

namespace spanloom::pipeline {

// Everything but the atomics and counters is bound to `loop_`.
class SendingQueue::State : public std::enable_shared_from_this<SendingQueue::State> {
 public:
  State(std::string exporter, std::shared_ptr<RequestEncoder> encoder, const SendingQueueOptions& options,
        const RetryOptions& retry, const BuildContext& context, net::Loop& loop, SendOnce send);

  [[nodiscard]] net::Loop& loop() { return loop_; }
  [[nodiscard]] Notification& drained() { return drained_; }
  [[nodiscard]] uint64_t undelivered_spans() const { return undelivered_spans_.load(); }
  [[nodiscard]] uint64_t held_spans() const { return held_spans_.load(); }
  [[nodiscard]] size_t waiting_size() const { return waiting_size_.load(); }
  [[nodiscard]] size_t active_requests() const { return active_requests_.load(); }
  [[nodiscard]] bool IsFull() const {
    const bool full = waiting_size_ >= capacity() || waiting_bytes_ >= kQueueBytesMax;
    return full && !(options_.block_on_overflow && blocked_bytes_ < kBlockedBytesMax);
  }
  Status Refuse(size_t spans);

  // Keeps requests in `log` from now on, and sends first what waits in it. Before the first Add.
  void KeepIn(const std::shared_ptr<RequestLog>& log);
  void Add(std::vector<ExportRequest> requests, Done done);
  void Drain();
  void Abandon();
  // Whoever waits for drained() waits no longer.
  void Hurry();

 private:
  // Where a request is on the disk. It is forgotten when all of its parts have come to an end.
  struct OnDisk {
    uint64_t sequence = 0;
    size_t parts_left = 1;
  };
  // A request with its history. Owned by waiting_ or active_, and by the attempt under way.
  struct Entry {
    Entry(ExportRequest taken, Done on_end, const RetryOptions& retry)
        : request(std::move(taken)), done(std::move(on_end)), backoff(retry.Backoff()) {}
    ExportRequest request;
    Done done;                             // empty if the queue has answered already
    std::shared_ptr<OnDisk> on_disk = {};  // null if it is in memory alone; shared with other parts of its request
    bool is_spilled = false;               // its message is on the disk alone
    RetryBackoff backoff;
    int64_t begin_ns = 0;    // steady time of the first attempt
    bool sleeping = false;   // waits for `retry`
    bool splitting = false;  // a worker cuts it up
    net::Timer retry;
  };
  using EntryPtr = std::shared_ptr<Entry>;
  // What several requests are together.
  struct Total {
    size_t size = 0;  // by the sizer
    size_t bytes = 0;
    size_t spans = 0;
  };
  // What waits for room, to be admitted together.
  struct Blocked {
    std::vector<ExportRequest> requests;
    Total total;
    Done done;
  };

  [[nodiscard]] Total TotalOf(const std::vector<ExportRequest>& requests) const;
  [[nodiscard]] size_t capacity() const { return static_cast<size_t>(options_.queue_size); }
  [[nodiscard]] bool HasRoomFor(const Total& total) const;
  Status RefuseAsTooLarge(const Total& total);
  void Block(std::vector<ExportRequest> requests, const Total& total, Done done);
  void Enqueue(std::vector<ExportRequest> requests, Done done);
  void WriteToLog(std::vector<ExportRequest> requests, const Total& total, Done done);
  void OnWritten(std::vector<ExportRequest> requests, const Total& total, Done done,
                 const StatusOr<std::vector<uint64_t>>& sequences);
  void Spill(Entry& entry);
  void ReadBack(uint64_t sequence);
  void OnReadBack(StatusOr<std::vector<LoggedRequest>> read);
  void Restore(std::vector<LoggedRequest> read);
  void Forget(Entry& entry);
  EntryPtr Counted(ExportRequest request, Done done);
  void AdmitBlocked();
  void RefuseBlocked();
  void StartNext();
  void Attempt(const EntryPtr& entry);
  void OnAnswer(const EntryPtr& entry, const StatusOr<size_t>& rejected_spans);
  void OnDelivered(const EntryPtr& entry, size_t rejected_spans);
  void OnFailure(const EntryPtr& entry, const Status& status);
  bool SendInParts(const EntryPtr& entry, const Status& status);
  void ReplaceByParts(const EntryPtr& entry, std::vector<ExportRequest> parts);
  void GiveUpAsTooLarge(const EntryPtr& entry, const Status& status);
  bool SleepBeforeRetry(const EntryPtr& entry, const Status& status);
  void GiveUp(const EntryPtr& entry, const Status& status);
  void GiveUpAtStop(const std::vector<EntryPtr>& entries);
  void End(const EntryPtr& entry, Status status);
  void NotifyIfDrained();

  const std::string exporter_;
  const std::shared_ptr<RequestEncoder> encoder_;  // shared with the queue
  const SendingQueueOptions options_;
  const RetryOptions retry_;
  const size_t consumers_;
  const Clock& clock_;
  net::Loop& loop_;
  WorkerPool& workers_;
  const SendOnce send_;
  Rng rng_;
  DropCounter drops_;
  const StatusReporter status_;
  LogLimiter failure_log_;
  Counter& sent_;
  Counter& send_failed_;
  Counter& enqueue_failed_;
  Counter& rejected_;
  Counter& lost_requests_;
  Notification drained_;
  std::atomic<uint64_t> undelivered_spans_ = 0;
  std::atomic<uint64_t> held_spans_ = 0;
  std::atomic<size_t> waiting_size_ = 0;  // by the sizer
  std::atomic<size_t> waiting_bytes_ = 0;
  std::atomic<size_t> blocked_bytes_ = 0;
  std::atomic<size_t> active_requests_ = 0;

  size_t writing_ = 0;  // groups of requests that the log has and has not answered
  std::deque<Blocked> blocked_;
  std::deque<EntryPtr> waiting_;
  std::set<EntryPtr> active_;        // at most consumers_
  std::shared_ptr<RequestLog> log_;  // null without a storage; shared with the queue, which ends it
  bool is_reading_ = false;          // from the log
  bool is_log_failing_ = false;
  net::Timer read_again_;
  bool failing_ = false;  // the destination is; reported
  bool draining_ = false;
  bool abandoned_ = false;
};

}  // namespace spanloom::pipeline
