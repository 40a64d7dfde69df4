// SPDX-License-Identifier: Apache-2.0

#include "cli/console/interrupt.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "base/mutex.h"

namespace spanloom::cli::console {
namespace {

// Scenario: SIGINT twice in a moment, as timeout(1) and shells send it to a process and to its group.
// Guarantees: a stop is requested, and the process lives on to make its report.
TEST(InterruptWatch, TurnsASignalIntoAStop) {
  const InterruptWatch watch;
  EXPECT_FALSE(watch.token().stop_requested());
  Notification stopped;
  const std::stop_callback<std::function<void()>> on_stop(watch.token(), [&stopped] { stopped.Notify(); });
  kill(getpid(), SIGINT);
  stopped.Wait();
  kill(getpid(), SIGINT);
  EXPECT_TRUE(watch.token().stop_requested());
}

// Scenario: nobody interrupts.
// Guarantees: the watch ends with its object.
TEST(InterruptWatch, EndsQuietly) {
  const InterruptWatch watch;
}

}  // namespace
}  // namespace spanloom::cli::console
