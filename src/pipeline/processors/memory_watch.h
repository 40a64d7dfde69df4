// SPDX-License-Identifier: Apache-2.0
//
// Whether a process has more memory than it should: measured from time to time, with two limits. Where one is exceeded,
// memory that was freed is given back to the system first, as the Collector collects garbage first; how often is
// limited, and less often while it does not help.

#pragma once

#include <absl/functional/any_invocable.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace spanloom::pipeline {

struct MemoryWatchOptions {
  // How often memory is given back, while usage is above one limit.
  struct Pace {
    std::chrono::nanoseconds interval_min{0};
    std::chrono::nanoseconds interval_max{0};  // while it does not help; 0: as interval_min
  };

  uint64_t soft_bytes = 0;  // from here on there is too much
  uint64_t hard_bytes = 0;  // at least soft_bytes; from here on it is urgent
  std::chrono::nanoseconds check_interval{0};
  Pace soft;
  Pace hard;
};

// Check is called by one thread at a time; is_exceeded is thread-safe.
class MemoryWatch {
 public:
  using Measure = absl::AnyInvocable<std::optional<uint64_t>()>;  // bytes; nullopt: it is not known
  using GiveBack = absl::AnyInvocable<void()>;

  // Giving memory back takes less than this share of it: then it did not help. The Collector's.
  static constexpr double kUsefulShare = 0.05;

  // `clock` outlives the watch.
  MemoryWatch(const MemoryWatchOptions& options, const Clock& clock, Measure measure, GiveBack give_back);

  // Measures, and gives back what it can if there is too much and the pace allows it. A measurement that fails changes
  // nothing.
  void Check();

  // True if the last check left more than the soft limit.
  [[nodiscard]] bool is_exceeded() const { return is_exceeded_.load(std::memory_order_relaxed); }

 private:
  struct Path {
    MemoryWatchOptions::Pace pace;
    std::chrono::nanoseconds delay{0};  // on top of interval_min, while it does not help
  };

  // Bytes afterwards.
  uint64_t GiveBackFrom(uint64_t bytes, Path& path);
  void SlowDown(Path& path) const;
  void Report(bool was_exceeded, uint64_t bytes) const;

  const MemoryWatchOptions options_;
  const Clock& clock_;
  Measure measure_;
  GiveBack give_back_;
  Path soft_;
  Path hard_;
  int64_t given_back_ns_;  // steady time
  std::atomic<bool> is_exceeded_ = false;
};

}  // namespace spanloom::pipeline
