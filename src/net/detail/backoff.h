// SPDX-License-Identifier: Apache-2.0
//
// When to connect again after a failure: gRPC's connection-backoff.md, with doubling.

#pragma once

#include <chrono>

#include "base/retry_backoff.h"
#include "base/rng.h"
#include "base/status.h"

namespace spanloom::net {

// Thread-compatible.
class Backoff {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit Backoff(uint64_t seed);

  // A connection could not be made, for `reason`.
  void OnFailure(TimePoint now, Status reason);

  // A connection works: the next failure starts from the beginning.
  void OnSuccess();

  // OK if an attempt may be made now; else kUnavailable, with the last failure and the time to wait.
  [[nodiscard]] Status Check(TimePoint now) const;

  // When that will be OK.
  [[nodiscard]] TimePoint retry_at() const { return retry_at_; }

 private:
  Rng rng_;
  RetryBackoff delays_;
  TimePoint retry_at_ = TimePoint::min();
  Status reason_;
};

}  // namespace spanloom::net
