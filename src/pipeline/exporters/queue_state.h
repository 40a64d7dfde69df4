// SPDX-License-Identifier: Apache-2.0
//
// What a sending queue does on its loop: known to queue.cc alone.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "pipeline/exporters/queue.h"
#include "pipeline/exporters/queue_intake.h"
#include "pipeline/exporters/queue_ledger.h"
#include "pipeline/exporters/request_grouper.h"
#include "pipeline/exporters/request_sender.h"

namespace spanloom::pipeline {

// Everything but the atomics and counters, and what the mutex guards, is bound to `loop_`.
class SendingQueue::State : public std::enable_shared_from_this<SendingQueue::State> {
 public:
  State(const std::string& exporter, const std::shared_ptr<RequestEncoder>& encoder, const SendingQueueOptions& options,
        const RetryOptions& retry, const BuildContext& context, net::Loop& loop, SendOnce send);

  [[nodiscard]] net::Loop& loop() { return loop_; }
  [[nodiscard]] Notification& drained() { return drained_; }
  [[nodiscard]] const QueueLedger& ledger() const { return *ledger_; }
  // By the sizer; what is under way is in the queue still.
  [[nodiscard]] double queue_size() const {
    return static_cast<double>(queue_size_) / static_cast<double>(QueueIntake::UnitsOf(options_.sizer));
  }
  [[nodiscard]] size_t active_requests() const { return sender_->active_requests(); }
  [[nodiscard]] bool IsFull() const {
    const bool full = queue_size_ + reserved_size_ >= capacity() || waiting_bytes_ >= kQueueBytesMax;
    return full && !(options_.block_on_overflow && blocked_bytes_ < kBlockedBytesMax);
  }
  Status Refuse(size_t spans);
  // How what comes is made to requests.
  [[nodiscard]] std::shared_ptr<const QueueIntake> intake() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Keeps requests in `log` from now on, and sends first what waits in it. Before the first Add.
  void KeepIn(const std::shared_ptr<RequestLog>& log);
  // Thread-safe. Takes in `batch`, for which `reserved` is kept, if anything is.
  void TakeIn(const otlp::Batch& batch, size_t reserved, Done done);
  // Thread-safe. The same of requests in `form`.
  void TakeIn(std::vector<ExportRequest> requests, const RequestForm& form, size_t reserved, Done done);
  // Thread-safe. How much is kept for `batch`, or why there is no room.
  StatusOr<size_t> Reserve(const otlp::Batch& batch);
  void GiveBack(size_t reserved) { reserved_size_ -= reserved; }
  void Drain();
  void Abandon();
  void GroupAs(const std::optional<Grouping>& grouping);
  // Whoever waits for drained() waits no longer.
  void Hurry();

 private:
  // What several requests are together.
  struct Total {
    size_t size = 0;  // QueueIntake::SizeOf
    size_t bytes = 0;
    size_t spans = 0;
  };
  // What is offered, to be admitted together: requests, or a batch that becomes some.
  struct Offered {
    std::vector<ExportRequest> requests = {};
    RequestForm form = {};  // of their messages
    otlp::Batch unencoded = {};
    Total total = {};
    size_t reserved = 0;  // is kept for it
    Done done = nullptr;
  };

  [[nodiscard]] Total TotalOf(const std::vector<ExportRequest>& requests) const;
  [[nodiscard]] Total TotalOf(const otlp::Batch& batch) const;
  [[nodiscard]] size_t capacity() const {
    return static_cast<size_t>(options_.queue_size) * QueueIntake::UnitsOf(options_.sizer);
  }
  [[nodiscard]] bool HasRoomFor(const Total& total) const;
  Status RefuseAsTooLarge(const Total& total);
  [[nodiscard]] Status Stopped() const { return sender_->Stopped(); }
  void Admit(Offered offered);
  void Block(Offered offered);
  void Enqueue(Offered offered);
  void Encode(Offered offered);
  void OnEncoded(Offered encoded);
  // Answers OK for what is held from now on, unless that has been done.
  void AnswerEarly(size_t spans, Done done);
  void WriteToLog(Offered offered);
  void OnWritten(Offered offered, const StatusOr<std::vector<uint64_t>>& sequences);
  void Spill(QueuedRequest& entry);
  void ReadBack(uint64_t sequence);
  void OnReadBack(StatusOr<std::vector<LoggedRequest>> read);
  void Restore(std::vector<LoggedRequest> read);
  // An entry for waiting_, whose size is counted.
  QueuedRequestPtr Counted(QueuedRequest entry);
  // It waits no longer.
  void UncountBytes(const QueuedRequest& entry) { waiting_bytes_ -= entry.request.message.size(); }
  void AdmitBlocked();
  void RefuseBlocked();
  void StartNext();
  void GiveUp(QueuedRequest& entry, const Status& why);
  // Brings its message into the form of `encoder`; false if it can't be read, and was given up.
  bool Convert(QueuedRequest& entry, const RequestEncoder& encoder);
  void SetGrouping(const std::optional<Grouping>& grouping, bool counts_groups);
  QueuedRequestPtr TakeFront();
  void SendNext();
  void GroupNext();
  void SendGroup(RequestGroup group);
  void OnGroupEncoded(size_t spans, const std::vector<RequestGroup::Share>& shares,
                      std::vector<ExportRequest> requests);
  void EndShares(const std::vector<RequestGroup::Share>& shares, const Status& status);
  void AwaitGroup();
  void OnEnded(QueuedRequest& entry, Status status);
  void OnProgress();
  void NotifyIfDrained();

  const std::string exporter_;
  const std::shared_ptr<RequestEncoder> encoder_;  // shared with the queue
  const SendingQueueOptions options_;
  net::Loop& loop_;
  WorkerPool& workers_;
  const Clock& clock_;
  const StatusReporter status_;
  LogLimiter failure_log_;
  const std::shared_ptr<QueueLedger> ledger_;    // shared with the sender
  const std::shared_ptr<RequestSender> sender_;  // shared with attempts under way
  Notification drained_;
  mutable Mutex mutex_;
  std::shared_ptr<const QueueIntake> intake_ ABSL_GUARDED_BY(mutex_);
  std::atomic<size_t> queue_size_ = 0;     // QueueIntake::SizeOf what waits or is under way; without a queue what waits
  std::atomic<size_t> reserved_size_ = 0;  // the same, of what is kept for batches to come
  std::atomic<size_t> waiting_bytes_ = 0;
  std::atomic<size_t> blocked_bytes_ = 0;

  size_t writing_ = 0;         // groups of requests that the log has and has not answered
  size_t encoding_ = 0;        // batches that workers have
  size_t encoding_spans_ = 0;  // of those that are answered already
  std::deque<Offered> blocked_;
  std::deque<QueuedRequestPtr> waiting_;
  std::optional<Grouping> grouping_as_;    // that of grouper_
  std::optional<RequestGrouper> grouper_;  // if requests are grouped behind the queue
  size_t grouping_ = 0;                    // groups that workers encode
  size_t grouping_spans_ = 0;              // of those
  net::Timer group_due_;
  std::shared_ptr<RequestLog> log_;  // null without a storage; shared with the queue, which ends it
  bool is_reading_ = false;          // from the log
  bool is_log_failing_ = false;
  net::Timer read_again_;
  bool draining_ = false;
  bool abandoned_ = false;
};

}  // namespace spanloom::pipeline
