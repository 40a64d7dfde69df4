// SPDX-License-Identifier: Apache-2.0
//
// The sending queue of an exporter: requests wait for one of a few consumers, and are sent again while their
// destination cannot take them. How a request is sent is the exporter's.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "pipeline/exporters/queue_options.h"
#include "pipeline/exporters/request_encoder.h"
#include "pipeline/exporters/request_log.h"
#include "pipeline/exporters/request_sender.h"
#include "pipeline/exporters/retry.h"
#include "pipeline/queue_storage.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

inline constexpr size_t kQueueBytesMax = 256 << 20;   // of messages that wait, beside queue_size; guess
inline constexpr size_t kBlockedBytesMax = 64 << 20;  // of messages that wait for room in the queue; guess
inline constexpr size_t kSpillBytes = 32 << 20;       // of messages that wait and are in memory too; guess

// Thread-safe; works on one loop. A request that the destination finds too large is sent again in parts, and what comes
// after it is cut to what the destination takes; a span that alone is too large is dropped, with its name in the log.
// Counts sent, failed and refused spans under the Collector's names, what is lost after
// it was taken also in spanloom_pipeline_dropped_spans, and shows its depth as gauges. Reports a recoverable error
// while the destination does not take what it is sent.
//
// With a storage, requests are answered once they are on the disk (request_log.h), and wait there: what is in memory
// beyond kSpillBytes is read again when it is its turn. What a stop leaves is sent after the next start.
class SendingQueue {
 public:
  // `send` must stay callable until Stop has returned, and requests under way then must still be answered.
  SendingQueue(std::string exporter, std::shared_ptr<RequestEncoder> encoder, const SendingQueueOptions& options,
               const RetryOptions& retry, const BuildContext& context, net::Loop& loop, SendOnce send);
  ~SendingQueue();

  // Takes up what the storage has, if there is one; blocks on it. Before anything is offered, and when `send` works.
  // Errors: those of the disk; kInvalidArgument if the extension is none.
  Status Start();

  // Encodes and compresses, what is quick on the caller's thread and the rest on workers, unless the queue is full;
  // then as Offer. What a worker encodes counts as one request of its wire bytes meanwhile; where Offer would answer at
  // once, that is answered before it is encoded, if workers have little to do.
  void Consume(const otlp::Batch& batch, Done done);

  // Keeps room for `batch`, unless senders are to wait for it: then, as for who does not store, consuming it is all.
  // Errors as Consume; what can't be written to the disk fails the commit with kUnavailable.
  StatusOr<std::unique_ptr<Admission>> Reserve(const otlp::Batch& batch);

  // Takes requests, all or none. `done` is called as soon as they are queued, or if the options say so when all have
  // been sent or given up. kUnavailable with a retry delay if they find no room, unless the queue is to block: then
  // they wait for it, up to kBlockedBytesMax. kResourceExhausted if they are larger than the queue.
  void Offer(std::vector<ExportRequest> requests, Done done);

  // True if Offer would most likely refuse any request.
  [[nodiscard]] bool IsFull() const;

  // Sends what waits, at once where it waits to be sent again, and what fails again and again, for at most `grace`;
  // gives up the rest. Attempts under way then are left to `send` to answer.
  void Stop(std::chrono::milliseconds grace);

  // Ends the grace of a Stop that is under way or to come.
  void HurryStop();

  // Brings requests together behind the queue from now on, as a `batch` in front of it would; not if it is nullopt, nor
  // if the options have a grouping of their own. A request then counts in queue_size as the part of a full group that
  // it is.
  void GroupAs(const std::optional<Grouping>& grouping);

  // What no other component may have at the same time: its place on the disk, if it has one.
  [[nodiscard]] std::vector<std::string> claims() const;

  // Spans that were queued and given up by Stop; those on the disk are not.
  [[nodiscard]] uint64_t undelivered_spans() const;

  // By the options: kStored on the disk, kDelivered if the destination is waited for, else kQueued.
  [[nodiscard]] AckGrade ack_grade() const;
  [[nodiscard]] std::string safety() const;
  [[nodiscard]] HoldLimits hold_limits() const;

 private:
  class State;
  class Room;
  void End();

  const std::string name_;  // of its place on the disk
  const SendingQueueOptions options_;
  const StatusOr<std::shared_ptr<const QueueStorage>> storage_;  // an error is that of Start
  const std::shared_ptr<RequestEncoder> encoder_;                // shared with the state
  std::shared_ptr<RequestLog> log_;                              // shared with the state
  const std::shared_ptr<State> state_;  // shared with tasks on its loop and with attempts under way
  std::vector<ScopedGauge> gauges_;
};

}  // namespace spanloom::pipeline
