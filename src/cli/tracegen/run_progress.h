// SPDX-License-Identifier: Apache-2.0
//
// How far a run has come, in numbers and in words.

#pragma once

#include <cstdint>
#include <string>

#include "cli/console/progress.h"

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

// The same for a bar.
console::ProgressState ProgressOf(const ProgressSnapshot& snapshot);

}  // namespace spanloom::cli::tracegen
