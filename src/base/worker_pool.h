// SPDX-License-Identifier: Apache-2.0
//
// A few threads for work that must not run on a loop: scans of the store, files. Bounded: what does not fit is refused.

#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/functional/any_invocable.h>

#include <cstddef>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace spanloom {

// Thread-safe. The destructor runs what is queued, then joins.
class WorkerPool {
 public:
  using Task = absl::AnyInvocable<void()>;

  // Threads are named `name-N` (15 characters are shown by Linux). `queue_max` tasks may wait.
  WorkerPool(std::string name, size_t threads, size_t queue_max);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Queues `task`. Returns false, and leaves `task` alone, when the queue is full.
  [[nodiscard]] bool Submit(Task&& task) ABSL_LOCKS_EXCLUDED(mutex_);

  [[nodiscard]] size_t queued() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);

  const size_t queue_max_;
  mutable Mutex mutex_;
  std::deque<Task> queue_ ABSL_GUARDED_BY(mutex_);
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace spanloom
