// SPDX-License-Identifier: Apache-2.0

#include "net/loop_rest.h"

#include <sys/resource.h>

#include <algorithm>

namespace spanloom::net {
namespace {

// All guesses, but for the first: at 500 wake-ups a second, the most that a loop with rests has, nothing is saved.
constexpr double kWakeupsMin = 1'000;   // a second, before rests are tried
constexpr double kBusyShareMax = 0.5;   // of a core: a busier loop finds several requests at once by itself
constexpr double kReadShareMin = 0.75;  // of what was read without rests: below that clients were held up
constexpr int kRestedWindowsMax = 40;   // then one is measured without: loads change
constexpr int kFutilePauseMax = 128;    // windows, half a minute

double ASecond(uint64_t count, const LoopUsage& window) {
  return static_cast<double>(count) / std::max(1e-9, std::chrono::duration<double>(window.wall).count());
}

bool IsBusy(const LoopUsage& window) {
  return static_cast<double>(window.cpu.count()) > kBusyShareMax * static_cast<double>(window.wall.count());
}

std::chrono::nanoseconds Duration(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

}  // namespace

LoopUsage LoopUsage::operator-(const LoopUsage& before) const {
  return {wall - before.wall, cpu - before.cpu, wakeups - before.wakeups, bytes_read - before.bytes_read};
}

LoopUsage ThreadUsage(uint64_t bytes_read) {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return {std::chrono::steady_clock::now().time_since_epoch(), Duration(usage.ru_utime) + Duration(usage.ru_stime),
          static_cast<uint64_t>(usage.ru_nvcsw), bytes_read};
}

bool RestPolicy::RestsNext(const LoopUsage& window) {
  if (rests_) {
    rests_ = AfterRests(window);
    return rests_;
  }
  without_ = window;
  if (windows_until_try_ > 0) {
    --windows_until_try_;
    return false;
  }
  rests_ = ASecond(window.wakeups, window) >= kWakeupsMin && !IsBusy(window);
  rested_windows_ = 0;
  return rests_;
}

bool RestPolicy::AfterRests(const LoopUsage& window) {
  const bool reads_as_much =
      ASecond(window.bytes_read, window) >= kReadShareMin * ASecond(without_.bytes_read, without_);
  if (!reads_as_much || IsBusy(window)) {
    windows_until_try_ = futile_pause_;
    futile_pause_ = std::min(futile_pause_ * 2, kFutilePauseMax);
    return false;
  }
  futile_pause_ = 1;
  return ++rested_windows_ < kRestedWindowsMax;
}

}  // namespace spanloom::net
