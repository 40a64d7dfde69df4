// SPDX-License-Identifier: Apache-2.0

#include "net/cancel_signal.h"

namespace spanloom::net {

// Each side sets its flag first and looks at the other's afterwards, so that one of them sees both.
void CancelState::OnCancel(absl::AnyInvocable<void()> callback) {
  absl::AnyInvocable<void()> dropped;
  {
    const MutexLock lock(mutex_);
    dropped = std::exchange(callback_, std::move(callback));
    has_callback_.store(true);
    if (!cancelled_.load() && !settled_.load()) return;
    callback = std::exchange(callback_, nullptr);
  }
  if (cancelled_.load() && callback) callback();
}

void CancelState::Cancel() {
  if (settled_.load() || cancelled_.exchange(true) || !has_callback_.load()) return;
  absl::AnyInvocable<void()> callback;
  {
    const MutexLock lock(mutex_);
    callback = std::exchange(callback_, nullptr);
  }
  if (callback) callback();
}

void CancelState::Settle() {
  settled_.store(true);
  if (!has_callback_.load()) return;
  absl::AnyInvocable<void()> dropped;
  const MutexLock lock(mutex_);
  dropped = std::exchange(callback_, nullptr);
}

}  // namespace spanloom::net
