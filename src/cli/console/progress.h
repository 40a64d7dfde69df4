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

namespace spanloom::cli::console {

struct ProgressState {
  double share = 0;  // of the whole that is done, 0 to 1
  std::string line;  // in words, without an end of line
};

// "4m10s", rounded up to seconds; "-" while nothing is done yet.
std::string TimeLeft(double share, int64_t elapsed_ns);

// The line behind a bar, not wider than `columns` characters; `columns` must be positive.
std::string FormatProgressBar(const ProgressState& state, size_t columns);

enum class ProgressStyle { kBar, kLines };

// Draws on a thread of its own until it is destroyed, and once more then. Bound to the thread that made it.
class Progress {
 public:
  // `state` is called from the drawing thread. `out` and what `state` reads must outlive the object; nothing else
  // may write to `out` meanwhile.
  Progress(ProgressStyle style, std::function<ProgressState()> state, std::ostream& out);
  ~Progress();

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  void Draw();

  const ProgressStyle style_;
  const std::function<ProgressState()> state_;
  std::ostream& out_;
  Mutex mutex_;
  bool is_ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace spanloom::cli::console
