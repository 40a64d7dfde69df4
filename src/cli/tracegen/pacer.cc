// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/pacer.h"

#include <utility>

#include "base/mutex.h"

namespace spanloom::cli::tracegen {

Pacer::Pacer(const Clock& clock, int64_t start_unix_ns, std::stop_token stop)
    : clock_(clock),
      start_unix_ns_(start_unix_ns),
      start_steady_ns_(clock.SteadyNs()),
      on_stop_(std::move(stop), [this] {
        MutexLock lock(mutex_);
        is_stopped_ = true;
      }) {}

bool Pacer::WaitUntil(int64_t unix_ns) {
  const int64_t passed_ns = clock_.SteadyNs() - start_steady_ns_;
  const int64_t left_ns = unix_ns - start_unix_ns_ - passed_ns;
  MutexLock lock(mutex_);
  if (left_ns <= 0) return !is_stopped_;
  return !mutex_.AwaitFor([this] { return is_stopped_; }, std::chrono::nanoseconds(left_ns));
}

}  // namespace spanloom::cli::tracegen
