// SPDX-License-Identifier: Apache-2.0
//
// Event loops, one a core. Sockets, timers and the objects that own them are bound to one loop; other threads reach
// them by Post. Nothing on a loop may block or run longer than about a millisecond.

#pragma once

#include <absl/functional/any_invocable.h>

#include <chrono>
#include <cstddef>
#include <memory>

#include "base/worker_pool.h"

namespace spanloom::net {

using Task = absl::AnyInvocable<void()>;

// A timer that was started by Loop::PostAfter. Destroying or cancelling it on its loop's thread guarantees that the
// task does not run afterwards. Sequence-bound: its loop.
class Timer {
 public:
  Timer();
  Timer(Timer&&) noexcept;
  Timer& operator=(Timer&&) noexcept;
  ~Timer();
  void Cancel();

 private:
  friend class Loop;
  struct State;
  explicit Timer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with the pending wait inside the loop
};

// What a loop does when it has nothing to do: kNever waits for the next event. kWhenItPays sleeps a little first, where
// that finds more at once: for servers whose clients don't mind two milliseconds (net/loop_rest.h).
enum class LoopRest { kNever, kWhenItPays };

// One thread that runs an Asio io_context. Post is thread-safe, the rest is bound to the loop's own thread.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs `task` on the loop's thread, in order of posting. Thread-safe.
  void Post(Task task);

  // Runs `task` on the loop's thread after `delay`. Call on the loop's thread.
  [[nodiscard]] Timer PostAfter(std::chrono::nanoseconds delay, Task task);

  // True if the caller is the loop's thread.
  [[nodiscard]] bool IsCurrent() const;

  struct Internal;  // wraps the io_context; known to net/ alone
  [[nodiscard]] Internal& internal() { return *internal_; }

 private:
  friend class LoopPool;
  void Run(LoopRest rest);
  void RunWithRests();
  void Stop();
  std::unique_ptr<Internal> internal_;
};

// Starts `count` loops, each with a thread named `spanloom-loop-N`. The destructor stops and joins them; tasks still
// posted then are destroyed without being run. Thread-compatible; At, Next and workers are thread-safe.
class LoopPool {
 public:
  // `count` must be positive; 0 means one for each core that the process may use (base/process_cores.h).
  explicit LoopPool(size_t count, LoopRest rest = LoopRest::kNever);
  ~LoopPool();

  [[nodiscard]] size_t size() const;
  [[nodiscard]] Loop& At(size_t index);
  // The loops in turn.
  [[nodiscard]] Loop& Next();

  // Threads for what would hold up a loop, named `spanloom-work-N`; started at the first call. Its tasks may Post to
  // the loops; they must not touch what is bound to one.
  [[nodiscard]] WorkerPool& workers();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace spanloom::net
