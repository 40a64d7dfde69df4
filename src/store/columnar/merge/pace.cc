// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/merge/pace.h"

#include <algorithm>
#include <chrono>

namespace spanloom::store::columnar {
namespace {

constexpr int64_t kShortestWaitNs = 10'000'000;  // guess: a wait costs some microseconds
constexpr double kLongestWaitNs = 60e9;          // guess: more was not spent at once

}  // namespace

bool Pace::Spend(uint64_t bytes) {
  const int64_t now = clock_.SteadyNs();
  due_ns_ = std::max(due_ns_, now);
  const double spent_ns = static_cast<double>(bytes) * 1e9 / static_cast<double>(bytes_per_second_);
  due_ns_ += static_cast<int64_t>(std::min(spent_ns, kLongestWaitNs));
  if (due_ns_ - now < kShortestWaitNs) return !is_stopped();
  const bool is_stopped = stopped_.WaitFor(std::chrono::nanoseconds(due_ns_ - now));
  due_ns_ = clock_.SteadyNs();  // by that clock, which a test may hold
  return !is_stopped;
}

}  // namespace spanloom::store::columnar
