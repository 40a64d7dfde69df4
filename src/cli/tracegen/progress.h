// SPDX-License-Identifier: Apache-2.0
//
// How far a run has come: a bar that is drawn over itself on a terminal, a plain line now and then elsewhere.

#pragma once

#include <absl/base/thread_annotations.h>

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <thread>

#include "base/mutex.h"

namespace spanloom::cli::tracegen {

struct ProgressSnapshot {
  uint64_t traces = 0;  // generated so far
  uint64_t traces_total = 0;
  uint64_t acknowledged_spans = 0;
  uint64_t lost_spans = 0;
  int64_t elapsed_ns = 0;
  std::string last_problem;  // "" if there was none
};

// One line without its end: numbers, rate, time left.
std::string FormatProgressLine(const ProgressSnapshot& snapshot);

// The same behind a bar, not wider than `columns` characters; `columns` must be positive.
std::string FormatProgressBar(const ProgressSnapshot& snapshot, size_t columns);

enum class ProgressStyle { kBar, kLines };

// Draws on a thread of its own until it is destroyed, and once more then. Bound to the thread that made it.
class Progress {
 public:
  // `snapshot` is called from the drawing thread. `out` and what `snapshot` reads must outlive the object; nothing else
  // may write to `out` meanwhile.
  Progress(ProgressStyle style, std::function<ProgressSnapshot()> snapshot, std::ostream& out);
  ~Progress();

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  void Draw();

  const ProgressStyle style_;
  const std::function<ProgressSnapshot()> snapshot_;
  std::ostream& out_;
  Mutex mutex_;
  bool is_ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace spanloom::cli::tracegen
