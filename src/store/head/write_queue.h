// SPDX-License-Identifier: Apache-2.0
//
// Batches on their way into a store: loops put them here, a thread of the store's own takes them out, so that
// nothing but the queueing happens on a loop.

#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/functional/any_invocable.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "otlp/batch.h"
#include "store/span_store.h"

namespace spanloom::store::head {

// Thread-safe. Bounded by the bytes of the requests that reservations and waiting batches keep alive.
class WriteQueue {
 public:
  static constexpr std::chrono::milliseconds kRetryDelay{500};  // told to who is refused; guess
  static constexpr std::chrono::seconds kTick{1};               // between calls of `tick`; guess

  struct Options {
    std::string name;  // of the store, for messages
    size_t bytes_max = 0;
    size_t group_batches_max = 1;  // that are written together
  };

  // Writes some batches, and says of each how that went: what its AppendDone gets.
  using Write = absl::AnyInvocable<std::vector<Status>(std::span<const otlp::Batch>)>;
  using Tick = absl::AnyInvocable<void()>;

  // Both are called on the queue's thread only; `tick` about every kTick while SetTicking(true) holds.
  WriteQueue(Options options, Write write, Tick tick);
  // As Stop().
  ~WriteQueue();
  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;

  // As SpanStore::Reserve. kUnavailable after Stop().
  StatusOr<std::unique_ptr<Reservation>> Reserve(const otlp::Batch& batch) ABSL_LOCKS_EXCLUDED(mutex_);

  // Writes what waits, then ends the thread. What is committed later is answered kUnavailable.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

  void SetTicking(bool is_ticking) ABSL_LOCKS_EXCLUDED(mutex_);
  [[nodiscard]] size_t bytes() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  class QueueReservation;
  struct Item {
    otlp::Batch batch;
    AppendDone done;
    size_t bytes = 0;
  };

  void Release(size_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  // Takes over `bytes` of what was reserved.
  void Push(otlp::Batch batch, AppendDone done, size_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits for work; false when there is none left and the queue is stopping.
  bool Take(std::deque<Item>& items) ABSL_LOCKS_EXCLUDED(mutex_);

  // Takes the next group out of `items`.
  void WriteGroup(std::deque<Item>& items) ABSL_LOCKS_EXCLUDED(mutex_);

  const Options options_;
  Write write_;
  Tick tick_;
  mutable Mutex mutex_;
  std::deque<Item> items_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // reserved, waiting, or being written
  bool is_ticking_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_stopping_ ABSL_GUARDED_BY(mutex_) = false;
  Mutex stop_mutex_;    // one Stop() at a time joins
  std::thread thread_;  // starts last: it uses all of the above
};

}  // namespace spanloom::store::head
