// SPDX-License-Identifier: Apache-2.0
//
// The time by which traces are old. It is the wall clock's, unless that jumps ahead: what a retention policy removes
// does not come back when the clock is set right.

#pragma once

#include <cstdint>

#include "base/clock.h"

namespace spanloom::store {

// How far the wall clock may get ahead of the one that does not jump at once: more than NTP slews in an hour, less than
// any age that is kept for. Guess.
inline constexpr int64_t kClockJumpNs = 60LL * 1'000'000'000;
// How long it must have been ahead to be believed: time for an operator, or NTP, to set it right. Guess.
inline constexpr int64_t kClockJumpDoubtNs = 3'600LL * 1'000'000'000;

// Thread-compatible.
class RetentionTime {
 public:
  // `clock` must outlive it.
  explicit RetentionTime(const Clock& clock);

  // Nanoseconds since 1970: the wall clock's, or where it would be if it has jumped ahead within the last hour. A clock
  // that is set back is believed: then less is removed. A machine that slept counts as one whose clock jumped.
  [[nodiscard]] uint64_t NowUnixNs();

 private:
  const Clock& clock_;
  int64_t unix_ns_;               // as it was believed last,
  int64_t steady_ns_;             // and when that was
  int64_t doubted_since_ns_ = 0;  // Clock::SteadyNs; meaningless unless is_doubted_
  bool is_doubted_ = false;
};

}  // namespace spanloom::store
