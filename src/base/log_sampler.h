// SPDX-License-Identifier: Apache-2.0
//
// Leaves out lines of a log that are said again and again, as zap does: of each message the first ones in a while, then
// every so many. What was left out is counted.

#pragma once

#include <absl/base/thread_annotations.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/log_line.h"
#include "base/mutex.h"

namespace spanloom {

// The Collector's defaults.
struct LogSampling {
  std::chrono::nanoseconds tick = std::chrono::seconds(10);
  uint64_t initial = 10;      // lines of one message and level that are written in a tick
  uint64_t thereafter = 100;  // of those that follow, one in so many is; 0: none

  friend bool operator==(const LogSampling&, const LogSampling&) = default;
};

// Thread-safe. A tick begins with the first line after the one before has ended.
class LogSampler {
 public:
  static constexpr size_t kMessagesMax = 1'000;  // told apart in a tick; lines of further ones are written; guess

  explicit LogSampler(const LogSampling& sampling) : sampling_(sampling) {}

  // What was left out in a tick: how many lines, and of which messages ("12 of error: no route; 3 of ..."), longest
  // first and at most kNamedMax of them.
  struct LeftOut {
    uint64_t lines = 0;
    std::string messages = {};
  };
  static constexpr size_t kNamedMax = 10;  // guess

  // Whether a line is to be written at `now_ns`, a steady time.
  [[nodiscard]] bool Admits(LogLevel level, std::string_view message, int64_t now_ns) ABSL_LOCKS_EXCLUDED(mutex_);

  // Of the tick that was over at `now_ns`, or of any if `in_haste`; nothing the second time.
  [[nodiscard]] LeftOut TakeLeftOut(int64_t now_ns, bool in_haste = false) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Count {
    uint64_t seen = 0;
    uint64_t left_out = 0;
  };
  void EndTick() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const LogSampling sampling_;
  Mutex mutex_;
  int64_t tick_end_ns_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::pair<LogLevel, std::string>, Count> counts_ ABSL_GUARDED_BY(mutex_);  // of this tick
  LeftOut left_out_ ABSL_GUARDED_BY(mutex_);                                          // of ticks before, not taken yet
};

}  // namespace spanloom
