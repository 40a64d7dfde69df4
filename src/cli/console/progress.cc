// SPDX-License-Identifier: Apache-2.0

#include "cli/console/progress.h"

#include <absl/time/time.h>

#include <algorithm>
#include <utility>

#include "base/mutex.h"
#include "base/text.h"

namespace spanloom::cli::console {
namespace {

constexpr std::chrono::milliseconds kBarInterval{200};
constexpr std::chrono::milliseconds kLineInterval{5'000};
constexpr size_t kColumns = 120;
constexpr size_t kBarWidth = 24;
constexpr std::string_view kEraseLine = "\r\x1b[K";  // ECMA-48: carriage return, erase to the end of the line

}  // namespace

std::string TimeLeft(double share, int64_t elapsed_ns) {
  if (share <= 0) return "-";
  const double left_s = static_cast<double>(elapsed_ns) / 1e9 * (1 - share) / share;
  const absl::Duration left = absl::Ceil(absl::Seconds(left_s), absl::Seconds(1));
  return left == absl::ZeroDuration() ? "0s" : absl::FormatDuration(left);
}

std::string FormatProgressBar(const ProgressState& state, size_t columns) {
  const auto filled = static_cast<size_t>(std::clamp(state.share, 0.0, 1.0) * kBarWidth);
  std::string bar = StrCat("[", std::string(filled, '#'), std::string(kBarWidth - filled, '.'), "] ", state.line);
  if (bar.size() > columns) bar.resize(columns);
  return bar;
}

Progress::Progress(ProgressStyle style, std::function<ProgressState()> state, std::ostream& out)
    : style_(style), state_(std::move(state)), out_(out), thread_([this] { Run(); }) {}

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
  const ProgressState state = state_();
  if (style_ == ProgressStyle::kBar) {
    out_ << kEraseLine << FormatProgressBar(state, kColumns) << std::flush;
  } else {
    out_ << state.line << '\n' << std::flush;
  }
}

}  // namespace spanloom::cli::console
