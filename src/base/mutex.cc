// SPDX-License-Identifier: Apache-2.0

#include "base/mutex.h"

#include <condition_variable>

#include "base/check.h"

namespace spanloom {

// One thread in Await*. Notified under the lock only, so it does not end while it is.
struct Mutex::Waiter {
  Waiter(Mutex& mutex, absl::FunctionRef<bool()> awaited) : owner(mutex), condition(awaited), next(mutex.waiters_) {
    owner.waiters_ = this;
  }
  ~Waiter() {
    Waiter** link = &owner.waiters_;
    while (*link != this) link = &(*link)->next;
    *link = next;
  }

  Mutex& owner;
  const absl::FunctionRef<bool()> condition;
  std::condition_variable may_go_on;
  Waiter* next;
};

void Mutex::WakeThoseWhoMayGoOn() {
  for (Waiter* waiter = waiters_; waiter != nullptr; waiter = waiter->next) {
    if (waiter->condition()) waiter->may_go_on.notify_one();
  }
}

void Mutex::Await(absl::FunctionRef<bool()> condition) {
  WakeThoseWhoMayGoOn();  // as an unlock: the caller may have changed what others wait for
  std::unique_lock lock(mutex_, std::adopt_lock);
  Waiter waiter(*this, condition);
  waiter.may_go_on.wait(lock, condition);
  lock.release();
}

bool Mutex::AwaitFor(absl::FunctionRef<bool()> condition, std::chrono::nanoseconds patience) {
  WakeThoseWhoMayGoOn();
  std::unique_lock lock(mutex_, std::adopt_lock);
  Waiter waiter(*this, condition);
  const bool holds = waiter.may_go_on.wait_for(lock, patience, condition);
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
