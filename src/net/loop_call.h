// SPDX-License-Identifier: Apache-2.0
//
// Reaching into a loop from a thread that may wait: that which starts and stops things, or a program's own.

#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "base/mutex.h"
#include "net/loop.h"

namespace spanloom::net {

// Runs `task` on the loop's thread, waits for it and returns its result. Not to be called on a loop's thread.
template <typename Task>
auto RunOn(Loop& loop, Task&& task) {
  CHECK(!loop.IsCurrent());
  using Result = std::invoke_result_t<Task&>;
  Notification done;
  if constexpr (std::is_void_v<Result>) {
    loop.Post([&] {
      task();
      done.Notify();
    });
    done.Wait();
  } else {
    std::optional<Result> result;
    loop.Post([&] {
      result.emplace(task());
      done.Notify();
    });
    done.Wait();
    return *std::move(result);
  }
}

}  // namespace spanloom::net
