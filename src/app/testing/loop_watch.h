// SPDX-License-Identifier: Apache-2.0
//
// For tests: how long a loop is held up by what runs on it. As net/loop_lag.h, but without the time for which the
// loop's thread was ready and the machine gave it no core, so that it can be asserted on a machine that does other work
// too.

#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"
#include "net/loop.h"
#include "net/loop_call.h"

namespace spanloom::app {

// How long this thread was ready and had no core, since it began (Linux: Documentation/scheduler/sched-stats.rst).
// Sequence-bound: the thread that made it.
class CoreWait {
 public:
  CoreWait() : file_(open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)) { CHECK(file_ >= 0); }
  ~CoreWait() { close(file_); }
  CoreWait(const CoreWait&) = delete;
  CoreWait& operator=(const CoreWait&) = delete;

  [[nodiscard]] std::chrono::nanoseconds Now() const {
    std::array<char, 128> text = {};  // three numbers
    CHECK(pread(file_, text.data(), text.size() - 1, 0) > 0);
    unsigned long long ran_ns = 0;
    unsigned long long waited_ns = 0;
    CHECK(std::sscanf(text.data(), "%llu %llu", &ran_ns, &waited_ns) == 2);
    return std::chrono::nanoseconds(waited_ns);
  }

 private:
  int file_;
};

// Watches a loop from its construction to Stop, both on a thread that is not a loop's.
class LoopWatch {
 public:
  static constexpr std::chrono::milliseconds kPeriod{1};

  explicit LoopWatch(net::Loop& loop) : loop_(loop) {
    net::RunOn(loop_, [this] {
      core_wait_ = std::make_unique<CoreWait>();
      SetTimer();
    });
  }

  // How late each task was that became due meanwhile, ascending. Waits for the one that is due next.
  [[nodiscard]] std::vector<std::chrono::nanoseconds> Stop() {
    net::RunOn(loop_, [this] { is_last_ = true; });
    has_ended_.Wait();
    std::sort(lags_.begin(), lags_.end());
    return std::move(lags_);
  }

 private:
  using Clock = std::chrono::steady_clock;

  void SetTimer() {
    due_ = Clock::now() + kPeriod;
    waited_ = core_wait_->Now();
    timer_ = loop_.PostAfter(kPeriod, [this] { OnTimer(); });
  }
  void OnTimer() {
    const std::chrono::nanoseconds late = Clock::now() - due_;
    lags_.push_back(std::max(std::chrono::nanoseconds(0), late - (core_wait_->Now() - waited_)));
    if (!is_last_) return SetTimer();
    core_wait_ = nullptr;
    has_ended_.Notify();
  }

  net::Loop& loop_;
  // The rest is bound to the loop.
  std::unique_ptr<CoreWait> core_wait_;
  std::chrono::nanoseconds waited_{0};  // when the timer was set
  Clock::time_point due_;
  std::vector<std::chrono::nanoseconds> lags_;
  net::Timer timer_;
  bool is_last_ = false;

  Notification has_ended_;
};

}  // namespace spanloom::app
