// SPDX-License-Identifier: Apache-2.0
//
// Reaching into a loop from the thread that starts and stops components.

#pragma once

#include <absl/functional/function_ref.h>

#include "base/check.h"
#include "base/mutex.h"
#include "net/loop.h"

namespace spanloom::pipeline {

// Runs `task` on the loop's thread and waits for it. Not to be called on a loop's thread.
inline void RunOn(net::Loop& loop, absl::FunctionRef<void()> task) {
  CHECK(!loop.IsCurrent());
  Notification done;
  loop.Post([&] {
    task();
    done.Notify();
  });
  done.Wait();
}

}  // namespace spanloom::pipeline
