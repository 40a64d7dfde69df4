// SPDX-License-Identifier: Apache-2.0
//
// For tests: a clock whose wall time is set ahead and back, as an operator or NTP sets it, while the other goes on.

#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace spanloom {

inline constexpr int64_t kDayNs = 86'400LL * 1'000'000'000;

// Stands still until it is told to move, as SimClock. Thread-safe.
class JumpingClock final : public Clock {
 public:
  [[nodiscard]] int64_t UnixNs() const override { return clock_.UnixNs() + offset_ns_.load(); }
  [[nodiscard]] int64_t SteadyNs() const override { return clock_.SteadyNs(); }
  void Advance(int64_t duration_ns) { clock_.Advance(duration_ns); }
  // The wall time is now so far from what it would be.
  void Set(int64_t offset_ns) { offset_ns_ = offset_ns; }

 private:
  SimClock clock_;
  std::atomic<int64_t> offset_ns_ = 0;
};

}  // namespace spanloom
