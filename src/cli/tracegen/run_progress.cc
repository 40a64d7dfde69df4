// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/run_progress.h"

#include <absl/strings/str_format.h>

#include "base/text.h"

namespace spanloom::cli::tracegen {
namespace {

double ShareDone(const ProgressSnapshot& snapshot) {
  if (snapshot.traces_total == 0) return 1;
  return static_cast<double>(snapshot.traces) / static_cast<double>(snapshot.traces_total);
}

}  // namespace

std::string FormatProgressLine(const ProgressSnapshot& snapshot) {
  const double elapsed_s = static_cast<double>(snapshot.elapsed_ns) / 1e9;
  const double rate = elapsed_s > 0 ? static_cast<double>(snapshot.acknowledged_spans) / elapsed_s : 0;
  std::string line = absl::StrFormat("%d/%d traces, %d spans acknowledged, %.0f spans/s, %s left", snapshot.traces,
                                     snapshot.traces_total, snapshot.acknowledged_spans, rate,
                                     console::TimeLeft(ShareDone(snapshot), snapshot.elapsed_ns));
  if (snapshot.lost_spans > 0) StrAppend(line, ", ", snapshot.lost_spans, " spans refused or lost");
  if (!snapshot.last_problem.empty()) StrAppend(line, ", last problem ", snapshot.last_problem);
  return line;
}

console::ProgressState ProgressOf(const ProgressSnapshot& snapshot) {
  return {.share = ShareDone(snapshot), .line = FormatProgressLine(snapshot)};
}

}  // namespace spanloom::cli::tracegen
