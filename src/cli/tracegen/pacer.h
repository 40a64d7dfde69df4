// SPDX-License-Identifier: Apache-2.0
//
// Keeps the time of the traces in step with the wall clock, so that a run at a rate sends each trace when it
// "happened".

#pragma once

#include <absl/base/thread_annotations.h>

#include <cstdint>
#include <functional>
#include <stop_token>

#include "base/clock.h"
#include "base/mutex.h"

namespace spanloom::cli::tracegen {

// Thread-compatible, but for the stop token.
class Pacer {
 public:
  // Trace time `start_unix_ns` is now. `clock` must outlive the pacer.
  Pacer(const Clock& clock, int64_t start_unix_ns, std::stop_token stop);

  // Blocks until trace time `unix_ns`; returns at once if it has passed. False if the run was stopped.
  [[nodiscard]] bool WaitUntil(int64_t unix_ns) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const Clock& clock_;
  const int64_t start_unix_ns_;
  const int64_t start_steady_ns_;
  Mutex mutex_;
  bool is_stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::stop_callback<std::function<void()>> on_stop_;
};

}  // namespace spanloom::cli::tracegen
