// SPDX-License-Identifier: Apache-2.0
//
// A task that is run again and again, as connectors pass on what they have made. Its time is kept by a loop, but it
// runs on a worker, since it may take longer than a loop may be held up.

#pragma once

#include <absl/base/thread_annotations.h>

#include <chrono>
#include <functional>

#include "base/mutex.h"
#include "net/loop.h"

namespace spanloom::pipeline {

// Start, Stop and the destructor are called from one thread that is not a loop's. Not restarted.
class Ticker {
 public:
  // `task` is run every `interval` after the end of the run before. `loops` outlives the ticker.
  Ticker(net::LoopPool& loops, std::chrono::nanoseconds interval, std::function<void()> task);
  ~Ticker() { Stop(); }
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  void Start();
  // Waits for a run that is under way. Afterwards the task does not run any more.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // On the loop.
  void Wait();
  void OnTime() ABSL_LOCKS_EXCLUDED(mutex_);
  // On a worker.
  void Run();
  // The next run can be waited for.
  void End() ABSL_LOCKS_EXCLUDED(mutex_);

  net::LoopPool& loops_;
  net::Loop& loop_;
  const std::chrono::nanoseconds interval_;
  const std::function<void()> task_;
  bool is_started_ = false;

  // Bound to the loop.
  net::Timer timer_;
  bool is_stopped_ = false;

  Mutex mutex_;
  bool is_running_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace spanloom::pipeline
