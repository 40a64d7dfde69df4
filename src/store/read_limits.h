// SPDX-License-Identifier: Apache-2.0
//
// How long, and with how much memory, a question to a store may be worked on.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <stop_token>

#include "base/clock.h"
#include "base/status.h"

namespace spanloom::store {

// Asked every few thousand rows, by the thread that reads. A value; copies share the stop token.
struct ReadLimits {
  int64_t deadline_steady_ns =
      std::numeric_limits<int64_t>::max();  // of Clock::SteadyNs, by the clock that the store was given
  std::stop_token stop = {};                // asked for when the client has gone
  size_t bytes_max = 256U << 20;            // held at one time by one question, its answer included; guess

  // OK to go on; kDeadlineExceeded, or kCancelled when a stop was requested.
  [[nodiscard]] Status Check(const Clock& clock) const {
    if (stop.stop_requested()) return absl::CancelledError("the question was withdrawn");
    if (clock.SteadyNs() >= deadline_steady_ns) return absl::DeadlineExceededError("the question took too long");
    return absl::OkStatus();
  }
};

}  // namespace spanloom::store
