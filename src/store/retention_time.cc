// SPDX-License-Identifier: Apache-2.0

#include "store/retention_time.h"

#include <utility>

#include "base/log.h"

namespace spanloom::store {

RetentionTime::RetentionTime(const Clock& clock)
    : clock_(clock), unix_ns_(clock.UnixNs()), steady_ns_(clock.SteadyNs()) {}

uint64_t RetentionTime::NowUnixNs() {
  const int64_t steady_ns = clock_.SteadyNs();
  const int64_t unix_ns = clock_.UnixNs();
  const int64_t expected_ns = unix_ns_ + (steady_ns - std::exchange(steady_ns_, steady_ns));
  const int64_t ahead_ns = unix_ns - expected_ns;
  if (ahead_ns <= kClockJumpNs) {
    is_doubted_ = false;
    unix_ns_ = unix_ns;
  } else if (!std::exchange(is_doubted_, true)) {
    doubted_since_ns_ = steady_ns;
    unix_ns_ = expected_ns;
    Log(LogLevel::kWarn,
        "the clock has jumped ahead: nothing is removed for its age by that until it has lasted an hour",
        {{"seconds", ahead_ns / 1'000'000'000}, {"advice", "see whether the clock of this machine is right"}});
  } else if (steady_ns - doubted_since_ns_ < kClockJumpDoubtNs) {
    unix_ns_ = expected_ns;
  } else {
    is_doubted_ = false;
    unix_ns_ = unix_ns;
  }
  return static_cast<uint64_t>(unix_ns_);
}

}  // namespace spanloom::store
