// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/progress.h"

#include <absl/strings/str_format.h>
#include <absl/time/time.h>

#include <algorithm>
#include <utility>

#include "base/mutex.h"
#include "base/text.h"

namespace spanloom::cli::tracegen {
namespace {

constexpr std::chrono::milliseconds kBarInterval{200};
constexpr std::chrono::milliseconds kLineInterval{5'000};
constexpr size_t kColumns = 120;
constexpr size_t kBarWidth = 24;
constexpr std::string_view kEraseLine = "\r\x1b[K";  // ECMA-48: carriage return, erase to the end of the line

double ShareDone(const ProgressSnapshot& snapshot) {
  if (snapshot.traces_total == 0) return 1;
  return static_cast<double>(snapshot.traces) / static_cast<double>(snapshot.traces_total);
}

// "4m10s", rounded up to seconds; "-" while nothing is known.
std::string TimeLeft(const ProgressSnapshot& snapshot) {
  if (snapshot.traces == 0) return "-";
  const double share = ShareDone(snapshot);
  const double left_s = static_cast<double>(snapshot.elapsed_ns) / 1e9 * (1 - share) / share;
  const absl::Duration left = absl::Ceil(absl::Seconds(left_s), absl::Seconds(1));
  return left == absl::ZeroDuration() ? "0s" : absl::FormatDuration(left);
}

}  // namespace

std::string FormatProgressLine(const ProgressSnapshot& snapshot) {
  const double elapsed_s = static_cast<double>(snapshot.elapsed_ns) / 1e9;
  const double rate = elapsed_s > 0 ? static_cast<double>(snapshot.acknowledged_spans) / elapsed_s : 0;
  std::string line = absl::StrFormat("%d/%d traces, %d spans acknowledged, %.0f spans/s, %s left", snapshot.traces,
                                     snapshot.traces_total, snapshot.acknowledged_spans, rate, TimeLeft(snapshot));
  if (snapshot.lost_spans > 0) StrAppend(line, ", ", snapshot.lost_spans, " spans refused or lost");
  if (!snapshot.last_problem.empty()) StrAppend(line, ", last problem ", snapshot.last_problem);
  return line;
}

std::string FormatProgressBar(const ProgressSnapshot& snapshot, size_t columns) {
  const auto filled = static_cast<size_t>(std::clamp(ShareDone(snapshot), 0.0, 1.0) * kBarWidth);
  std::string bar =
      StrCat("[", std::string(filled, '#'), std::string(kBarWidth - filled, '.'), "] ", FormatProgressLine(snapshot));
  if (bar.size() > columns) bar.resize(columns);
  return bar;
}

Progress::Progress(ProgressStyle style, std::function<ProgressSnapshot()> snapshot, std::ostream& out)
    : style_(style), snapshot_(std::move(snapshot)), out_(out), thread_([this] { Run(); }) {}

Progress::~Progress() {
  {
    MutexLock lock(mutex_);
    is_ending_ = true;
  }
  thread_.join();
  Draw();
  if (style_ == ProgressStyle::kBar) out_ << '\n' << std::flush;
}

void Progress::Run() {
  const std::chrono::milliseconds interval = style_ == ProgressStyle::kBar ? kBarInterval : kLineInterval;
  MutexLock lock(mutex_);
  while (!mutex_.AwaitFor([this] { return is_ending_; }, interval)) Draw();
}

void Progress::Draw() {
  const ProgressSnapshot snapshot = snapshot_();
  if (style_ == ProgressStyle::kBar) {
    out_ << kEraseLine << FormatProgressBar(snapshot, kColumns) << std::flush;
  } else {
    out_ << FormatProgressLine(snapshot) << '\n' << std::flush;
  }
}

}  // namespace spanloom::cli::tracegen
