// SPDX-License-Identifier: Apache-2.0
//
// When a loop rests: clients that send little at a time wake a loop for each request, and each answer wakes its client.
// A wake-up costs 10 to 20 us of CPU here (a virtual machine, kernel 6.x), more than a small request; a loop that
// sleeps for a moment first finds several at once. It may not cost throughput: a client that waits for its answer would
// only send less. So what a loop reads and how often it wakes are measured without rests, then with them.

#pragma once

#include <chrono>
#include <cstdint>

namespace spanloom::net {

// How long a loop sleeps between two rounds: what an export may be late by. At 5,000 requests a second 1 ms saves half
// of the CPU, 2 ms two thirds (docs/benchmarks.md).
inline constexpr std::chrono::milliseconds kLoopRest{2};

// How long the loop does the same before it is looked at again. Guess: shorter ones hold too few requests to compare.
inline constexpr std::chrono::milliseconds kRestWindow{250};

// What a thread has used since it began, or the difference of two of these.
struct LoopUsage {
  std::chrono::nanoseconds wall = {};
  std::chrono::nanoseconds cpu = {};
  uint64_t wakeups = 0;     // how often it slept: voluntary context switches
  uint64_t bytes_read = 0;  // from its clients
  LoopUsage operator-(const LoopUsage& before) const;
};

// Of the calling thread.
[[nodiscard]] LoopUsage ThreadUsage(uint64_t bytes_read);

// Says after each window whether the next one is with rests. Thread-compatible.
class RestPolicy {
 public:
  [[nodiscard]] bool RestsNext(const LoopUsage& window);

 private:
  [[nodiscard]] bool AfterRests(const LoopUsage& window);

  bool rests_ = false;
  LoopUsage without_;          // the latest window without rests
  int windows_until_try_ = 0;  // without rests, before they are tried
  int futile_pause_ = 1;       // windows; doubles each time that resting did not pay
  int rested_windows_ = 0;     // since the latest without rests
};

}  // namespace spanloom::net
