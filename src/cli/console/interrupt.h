// SPDX-License-Identifier: Apache-2.0
//
// Ctrl-C as a stop token.

#pragma once

#include <csignal>
#include <stop_token>
#include <thread>

namespace spanloom::cli::console {

// While it lives, the first SIGINT or SIGTERM requests a stop; one more, half a second later or after, ends the process
// with 130 and without a report. Made before any other thread is started, because it blocks the signals for these.
// Bound to the thread that made it.
class InterruptWatch {
 public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  [[nodiscard]] std::stop_token token() const { return interrupted_.get_token(); }

 private:
  sigset_t mask_before_{};  // of the thread that made the watch
  std::stop_source interrupted_;
  std::jthread thread_;
};

}  // namespace spanloom::cli::console
