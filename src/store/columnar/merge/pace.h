// SPDX-License-Identifier: Apache-2.0
//
// Holds work in the background to a rate, so that others get the disk and the processor.

#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "base/mutex.h"

namespace spanloom::store::columnar {

// Spend() by one thread at a time, the rest thread-safe.
class Pace {
 public:
  // `clock` must outlive it.
  Pace(uint64_t bytes_per_second, const Clock& clock) : bytes_per_second_(bytes_per_second), clock_(clock) {}

  // To be told of bytes when they have been read or written. Waits while the work is ahead of its rate; time in which
  // nothing was done is not made up for. False after Stop(), at once: the work is to end.
  bool Spend(uint64_t bytes);

  // Ends the waiting, now and later.
  void Stop() {
    if (!is_stopping_.exchange(true)) stopped_.Notify();
  }
  [[nodiscard]] bool is_stopped() const { return stopped_.HasBeenNotified(); }

 private:
  const uint64_t bytes_per_second_;
  const Clock& clock_;
  std::atomic<bool> is_stopping_ = false;
  Notification stopped_;
  int64_t due_ns_ = 0;  // Clock::SteadyNs: when all that was spent should have been
};

}  // namespace spanloom::store::columnar
