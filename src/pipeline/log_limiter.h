// SPDX-License-Identifier: Apache-2.0
//
// Keeps a repeated problem from flooding the log: one line in a while, with the count of what it stands for.

#pragma once

#include <absl/base/thread_annotations.h>

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/mutex.h"

namespace spanloom::pipeline {

// Thread-safe.
class LogLimiter {
 public:
  // `clock` must outlive the limiter.
  explicit LogLimiter(const Clock& clock, std::chrono::nanoseconds interval = std::chrono::seconds(10))
      : clock_(clock), interval_ns_(interval.count()) {}

  // Adds `count` to what happened since the last line. If a line is due: everything it stands for, which starts anew.
  std::optional<uint64_t> Admit(uint64_t count) ABSL_LOCKS_EXCLUDED(mutex_) {
    const int64_t now_ns = clock_.SteadyNs();
    MutexLock lock(mutex_);
    pending_ += count;
    if (next_ns_ && now_ns < *next_ns_) return std::nullopt;
    next_ns_ = now_ns + interval_ns_;
    const uint64_t admitted = pending_;
    pending_ = 0;
    return admitted;
  }

 private:
  const Clock& clock_;
  const int64_t interval_ns_;
  Mutex mutex_;
  std::optional<int64_t> next_ns_ ABSL_GUARDED_BY(mutex_);  // steady time of the next line
  uint64_t pending_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace spanloom::pipeline
