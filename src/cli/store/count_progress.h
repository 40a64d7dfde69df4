// SPDX-License-Identifier: Apache-2.0
//
// Progress of a task that counts.

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "cli/console/progress.h"
#include "cli/store/terminal.h"

namespace spanloom::cli::store {

// Draws on the terminal until it is destroyed; on none, a line now and then. Add may be called from any thread.
class CountProgress {
 public:
  // `what` is counted: "spans". `terminal` must outlive it.
  CountProgress(std::string what, uint64_t total, const Terminal& terminal)
      : CountProgress(
            std::move(what), total, [this] { return done_.load(); }, terminal) {}
  // Of what is counted elsewhere: `done` is asked, on another thread.
  CountProgress(std::string what, uint64_t total, std::function<uint64_t()> done, const Terminal& terminal);

  void Add(uint64_t more) { done_ += more; }

 private:
  [[nodiscard]] console::ProgressState State() const;

  const std::string what_;
  const uint64_t total_;
  const Clock& clock_;
  const int64_t begin_ns_;
  std::atomic<uint64_t> done_ = 0;
  const std::function<uint64_t()> read_;
  console::Progress progress_;  // ends first: it reads all of the above
};

}  // namespace spanloom::cli::store
