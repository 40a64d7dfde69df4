// SPDX-License-Identifier: Apache-2.0
//
// How a handler learns that nobody waits for its answer any more: the client reset the stream or closed the
// connection, the call's deadline passed, or the server ended the connection.

#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/functional/any_invocable.h>

#include <atomic>
#include <memory>
#include <utility>

#include "base/mutex.h"

namespace spanloom::net {

// One request's end of interest. Cancel and Settle are the connection's; the first of them counts. Thread-safe.
class CancelState {
 public:
  [[nodiscard]] bool is_cancelled() const { return cancelled_.load(std::memory_order_acquire); }

  // Runs `callback` when the request is cancelled; at once, inside this call, if it was already; never if it was
  // answered first. A further callback takes the place of the first.
  void OnCancel(absl::AnyInvocable<void()> callback) ABSL_LOCKS_EXCLUDED(mutex_);

  // Nobody waits any more. Runs the callback.
  void Cancel() ABSL_LOCKS_EXCLUDED(mutex_);

  // The request is answered. Drops the callback.
  void Settle() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  std::atomic<bool> cancelled_ = false;
  std::atomic<bool> settled_ = false;
  std::atomic<bool> has_callback_ = false;  // so that a request without one never locks
  Mutex mutex_;
  absl::AnyInvocable<void()> callback_ ABSL_GUARDED_BY(mutex_);
};

// A handler's view of it. Copies are about the same request and may outlive it. Thread-safe.
class CancelSignal {
 public:
  // Of a request that is never cancelled.
  CancelSignal() = default;
  explicit CancelSignal(std::shared_ptr<CancelState> state) : state_(std::move(state)) {}

  // True once the request is cancelled. An answer is then discarded; nothing else changes.
  [[nodiscard]] bool is_cancelled() const { return state_ != nullptr && state_->is_cancelled(); }

  // As CancelState::OnCancel. `callback` runs on the connection's loop, unless it runs at once.
  void OnCancel(absl::AnyInvocable<void()> callback) const {
    if (state_ != nullptr) state_->OnCancel(std::move(callback));
  }

 private:
  std::shared_ptr<CancelState> state_;  // shared with the request
};

}  // namespace spanloom::net
