// SPDX-License-Identifier: Apache-2.0
//
// A point in time that moves often and passes rarely: the end of an idle wait, the latest end of a request. Moving it
// costs no timer operation as long as it moves forward.

#pragma once

#include <chrono>

#include "net/loop.h"

namespace spanloom::net {

// Sequence-bound: its loop.
class Deadline {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // `on_passed` runs on `loop` once after a point that was set has passed; it may set another. It may destroy the
  // Deadline's owner only if something else keeps it alive until on_passed returns.
  Deadline(Loop& loop, Task on_passed);

  void Set(TimePoint at);
  void SetAfter(std::chrono::milliseconds delay) { Set(std::chrono::steady_clock::now() + delay); }
  // Moves the point to `at` if it is not before that anyway.
  void SetNoLater(TimePoint at) {
    if (at < at_) Set(at);
  }
  void Clear() { at_ = TimePoint::max(); }
  [[nodiscard]] bool is_set() const { return at_ != TimePoint::max(); }

 private:
  void Arm();
  void Wake();

  Loop& loop_;
  Task on_passed_;
  TimePoint at_ = TimePoint::max();        // max: none
  TimePoint wakes_at_ = TimePoint::max();  // when timer_ fires; never after at_
  Timer timer_;
};

}  // namespace spanloom::net
