// SPDX-License-Identifier: Apache-2.0

#include "net/detail/deadline.h"

#include <utility>

namespace spanloom::net {

Deadline::Deadline(Loop& loop, Task on_passed) : loop_(loop), on_passed_(std::move(on_passed)) {}

void Deadline::Set(TimePoint at) {
  at_ = at;
  if (at_ < wakes_at_) Arm();
}

void Deadline::Arm() {
  wakes_at_ = at_;
  timer_ = loop_.PostAfter(at_ - std::chrono::steady_clock::now(), [this] { Wake(); });
}

// The point may have moved on since the timer was armed.
void Deadline::Wake() {
  wakes_at_ = TimePoint::max();
  if (at_ == TimePoint::max()) return;
  if (std::chrono::steady_clock::now() < at_) return Arm();
  Clear();
  on_passed_();
}

}  // namespace spanloom::net
