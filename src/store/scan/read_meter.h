// SPDX-License-Identifier: Apache-2.0
//
// Counts what a question looks at, and stops it when its time is over.

#pragma once

#include <cstddef>
#include <cstdint>
#include <thread>

#include "base/clock.h"
#include "base/status.h"
#include "store/fetch.h"
#include "store/read_limits.h"

namespace spanloom::store::scan {

// Thread-compatible. `clock` must outlive it.
class ReadMeter {
 public:
  static constexpr uint64_t kSpansBetweenChecks = 2'048;  // about 2 ms of scanning; guess

  ReadMeter(const ReadLimits& limits, const Clock& clock) : limits_(limits), clock_(clock) {}

  // One span more was looked at. Errors: ReadLimits::Check, asked now and then.
  Status Span(size_t bytes) {
    ++stats_.spans_inspected;
    stats_.bytes_inspected += bytes;
    return Step();
  }
  void Trace() { ++stats_.traces_inspected; }
  // The same for work that reads no span; `spans` says how many it is worth.
  Status Step(uint64_t spans = 1) {
    const uint64_t before = steps_;
    steps_ += spans;
    if (steps_ / kSpansBetweenChecks == before / kSpansBetweenChecks) return absl::OkStatus();
    // Loops have the core first, if they wait for it: a thread that scans would else keep it for a slice of the
    // scheduler, several milliseconds. A short question never gets here.
    std::this_thread::yield();
    return Check();
  }
  [[nodiscard]] Status Check() const { return limits_.Check(clock_); }

  [[nodiscard]] const ReadLimits& limits() const { return limits_; }
  [[nodiscard]] const FetchStats& stats() const { return stats_; }

 private:
  const ReadLimits limits_;
  const Clock& clock_;
  FetchStats stats_;
  uint64_t steps_ = 0;
};

}  // namespace spanloom::store::scan
