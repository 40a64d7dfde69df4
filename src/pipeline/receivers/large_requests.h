// SPDX-License-Identifier: Apache-2.0
//
// Where a request is read, checked and processed: a small one at once, on the loop of its connection; a large one on a
// worker, so that the other connections of that loop do not wait for it.

#pragma once

#include <absl/base/thread_annotations.h>

#include <cstddef>

#include "base/mutex.h"
#include "base/worker_pool.h"

namespace spanloom::pipeline {

// Thread-safe.
class LargeRequests {
 public:
  // Bytes of a body from which it goes to a worker: what a loop checks and filters in about half a millisecond
  // (docs/benchmarks.md: 0.3 µs a span of 690 bytes), and JSON, which costs four times as much, in two.
  static constexpr size_t kBytesMin = 1 << 20;

  explicit LargeRequests(WorkerPool& workers, size_t bytes_min = kBytesMin)
      : workers_(workers), bytes_min_(bytes_min) {}

  [[nodiscard]] bool IsLarge(size_t bytes) const { return bytes >= bytes_min_; }

  // Runs `task`, which deals with a large request, on a worker; at once if the workers have too much to do: that holds
  // back those who bring more.
  void Run(WorkerPool::Task task) ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits until nothing is at a worker. To be called from a thread that is no worker, when nobody calls Run any more.
  void Drain() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  WorkerPool& workers_;
  const size_t bytes_min_;
  Mutex mutex_;
  size_t at_workers_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace spanloom::pipeline
