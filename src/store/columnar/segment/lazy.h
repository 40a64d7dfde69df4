// SPDX-License-Identifier: Apache-2.0
//
// Something that is made when it is first asked for.

#pragma once

#include <absl/functional/function_ref.h>

#include <atomic>
#include <memory>
#include <utility>

#include "base/mutex.h"

namespace spanloom::store::columnar {

// Thread-safe. Who asks while it is made waits.
template <typename T>
class Lazy {
 public:
  // `make` is called once, by the first; it may answer null, and then all get null.
  const T* Get(absl::FunctionRef<std::unique_ptr<const T>()> make) {
    if (const T* const made = ready_.load(std::memory_order_acquire)) return made;
    const MutexLock lock(mutex_);
    if (!std::exchange(is_made_, true)) {
      made_ = make();
      ready_.store(made_.get(), std::memory_order_release);
    }
    return made_.get();
  }

 private:
  Mutex mutex_;
  bool is_made_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<const T> made_ ABSL_GUARDED_BY(mutex_);
  std::atomic<const T*> ready_ = nullptr;  // made_
};

}  // namespace spanloom::store::columnar
