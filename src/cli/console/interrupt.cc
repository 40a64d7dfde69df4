// SPDX-License-Identifier: Apache-2.0

#include "cli/console/interrupt.h"

#include <pthread.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <ctime>

namespace spanloom::cli::console {
namespace {

constexpr int kInterruptedExit = 130;  // what shells report for a process that SIGINT ended

// A signal this soon after the first is the same wish: timeout(1), for one, signals a process and then its group.
constexpr std::chrono::milliseconds kSameWish{500};

constexpr timespec kLookForEnd = {.tv_sec = 0, .tv_nsec = 50'000'000};
constexpr timespec kNoWait = {.tv_sec = 0, .tv_nsec = 0};

sigset_t InterruptSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

void Watch(const std::stop_token& end, std::stop_source& interrupted) {
  const sigset_t signals = InterruptSignals();
  std::chrono::steady_clock::time_point first;
  while (!end.stop_requested()) {
    if (sigtimedwait(&signals, nullptr, &kLookForEnd) < 0) continue;
    const auto now = std::chrono::steady_clock::now();
    if (interrupted.request_stop()) {
      first = now;
    } else if (now - first > kSameWish) {
      _exit(kInterruptedExit);
    }
  }
}

}  // namespace

InterruptWatch::InterruptWatch() {
  const sigset_t signals = InterruptSignals();
  pthread_sigmask(SIG_BLOCK, &signals, &mask_before_);
  thread_ = std::jthread([this](const std::stop_token& end) { Watch(end, interrupted_); });
}

InterruptWatch::~InterruptWatch() {
  thread_.request_stop();
  thread_.join();
  // What came too late for the watch must not end the process now.
  const sigset_t signals = InterruptSignals();
  while (sigtimedwait(&signals, nullptr, &kNoWait) > 0) continue;
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

}  // namespace spanloom::cli::console
