// SPDX-License-Identifier: Apache-2.0
//
// Mutual exclusion and waiting for a condition: the standard library's, with Abseil's annotations, so that clang checks
// who holds what. absl::Mutex itself is not used: Debian's archive of it is not built for ThreadSanitizer, which then
// reports races where there are none (docs/decisions/0006-a-mutex-that-thread-sanitizer-sees.md).

#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/functional/function_ref.h>

#include <chrono>
#include <mutex>

namespace spanloom {

// An exclusive lock, not recursive. Thread-safe. May be destroyed by whoever holds it last, once it has been unlocked.
class ABSL_LOCKABLE Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }

  // Wakes those who wait in Await* and whose conditions hold now. Costs nothing when nobody waits.
  void Unlock() ABSL_UNLOCK_FUNCTION() {
    if (waiters_ != nullptr) WakeThoseWhoMayGoOn();
    mutex_.unlock();
  }

  // Lets go of the lock until `condition` holds. It is evaluated under the lock each time somebody unlocks, by whoever
  // does, so it must be quick and look only at what the lock guards. The caller holds the lock, before and after.
  void Await(absl::FunctionRef<bool()> condition) ABSL_EXCLUSIVE_LOCKS_REQUIRED(this);

  // The same for at most `patience`, up to a year; returns whether `condition` holds.
  bool AwaitFor(absl::FunctionRef<bool()> condition, std::chrono::nanoseconds patience)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(this);

 private:
  struct Waiter;
  void WakeThoseWhoMayGoOn();

  std::mutex mutex_;
  Waiter* waiters_ = nullptr;  // threads in Await*, each on its own stack; guarded by mutex_
};

// Holds a mutex while it lives.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) { mutex_.Lock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_.Unlock(); }

 private:
  Mutex& mutex_;
};

// Something that happens once. Thread-safe.
class Notification {
 public:
  // To be called at most once.
  void Notify();
  [[nodiscard]] bool HasBeenNotified() const;
  void Wait() const;
  // Returns whether it happened within `patience`, up to a year.
  bool WaitFor(std::chrono::nanoseconds patience) const;

 private:
  mutable Mutex mutex_;
  bool has_happened_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace spanloom
