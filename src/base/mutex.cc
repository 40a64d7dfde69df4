// SPDX-License-Identifier: Apache-2.0

#include "base/mutex.h"

#include "base/check.h"

namespace spanloom {

void Mutex::Await(absl::FunctionRef<bool()> condition) {
  std::unique_lock lock(mutex_, std::adopt_lock);
  ++waiting_;
  // Whoever waited on something that the caller changed since it locked has to look, too.
  changed_.notify_all();
  changed_.wait(lock, condition);
  --waiting_;
  lock.release();
}

bool Mutex::AwaitFor(absl::FunctionRef<bool()> condition, std::chrono::nanoseconds patience) {
  std::unique_lock lock(mutex_, std::adopt_lock);
  ++waiting_;
  changed_.notify_all();
  const bool holds = changed_.wait_for(lock, patience, condition);
  --waiting_;
  lock.release();
  return holds;
}

void Notification::Notify() {
  const MutexLock lock(mutex_);
  CHECK(!has_happened_);
  has_happened_ = true;
}

bool Notification::HasBeenNotified() const {
  const MutexLock lock(mutex_);
  return has_happened_;
}

void Notification::Wait() const {
  const MutexLock lock(mutex_);
  mutex_.Await([this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return has_happened_; });
}

bool Notification::WaitFor(std::chrono::nanoseconds patience) const {
  const MutexLock lock(mutex_);
  return mutex_.AwaitFor([this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return has_happened_; }, patience);
}

}  // namespace spanloom
