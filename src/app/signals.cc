// SPDX-License-Identifier: Apache-2.0

#include "app/signals.h"

#include <absl/base/thread_annotations.h>

#include <thread>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/mutex.h"

namespace spanloom::app {
namespace {

// Reloads on a thread of its own, so that the process can be told to stop meanwhile.
class Reloader {
 public:
  // `reload` is to make haste when it is asked to.
  explicit Reloader(std::function<void(std::stop_token hurry)> reload) : reload_(std::move(reload)) {}
  // Lets go of what waits, and ends what is under way in haste.
  ~Reloader() {
    const MutexLock lock(mutex_);
    is_ending_ = true;
    thread_.request_stop();
  }
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  // Once more, after what is under way. Further requests until then are one with it.
  void Request() ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    is_wanted_ = true;
  }

 private:
  void Run(const std::stop_token& hurry) ABSL_LOCKS_EXCLUDED(mutex_) {
    while (true) {
      {
        const MutexLock lock(mutex_);
        mutex_.Await([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return is_wanted_ || is_ending_; });
        if (is_ending_) return;
        is_wanted_ = false;
      }
      reload_(hurry);
    }
  }

  const std::function<void(std::stop_token hurry)> reload_;
  Mutex mutex_;
  bool is_wanted_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::jthread thread_{[this](const std::stop_token& hurry) { Run(hurry); }};  // starts last: it uses all of the above
};

}  // namespace

sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  CHECK(pthread_sigmask(SIG_BLOCK, &signals, nullptr) == 0);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  return signals;
}

void WaitForStop(const sigset_t& signals, std::function<void(std::stop_token hurry)> reload) {
  Reloader reloader(std::move(reload));
  while (true) {
    int signal = 0;
    CHECK(sigwait(&signals, &signal) == 0);
    if (signal != SIGHUP) {
      return Log(LogLevel::kInfo, "Received signal from OS",
                 {{"signal", signal == SIGINT ? "interrupt" : "terminated"}});
    }
    reloader.Request();
  }
}

void LetNextSignalKill(const sigset_t& signals) {
  CHECK(pthread_sigmask(SIG_UNBLOCK, &signals, nullptr) == 0);
}

}  // namespace spanloom::app
