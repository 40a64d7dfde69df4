// SPDX-License-Identifier: Apache-2.0
//
// The addresses behind a name, asked for again and again.

#pragma once

#include <absl/base/thread_annotations.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "config/options.h"
#include "net/name_lookup.h"

namespace spanloom::pipeline {

struct DnsResolverOptions {
  std::string hostname = {};
  std::string port = {};
  std::chrono::nanoseconds interval = std::chrono::seconds(5);
  std::chrono::nanoseconds timeout = std::chrono::seconds(1);
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

// Used from one thread that is not a loop's.
class DnsWatch {
 public:
  // Looks `host` up; `done` is called at most once, on any thread, perhaps late.
  using LookUp = std::function<void(const std::string& host, net::LookedUp done)>;
  // Told each outcome, on the watch's own thread: sorted addresses ("10.0.0.7:4317", "[fd00::7]", with the port if one
  // is configured), or why there are none: kDeadlineExceeded after the timeout, or the error of `look_up`.
  using OnOutcome = std::function<void(const StatusOr<std::vector<std::string>>& endpoints)>;

  DnsWatch(DnsResolverOptions options, LookUp look_up, OnOutcome on_outcome);
  ~DnsWatch();

  // Returns when the first outcome has been told.
  void Start();
  // Nothing is told afterwards.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  [[nodiscard]] StatusOr<std::vector<std::string>> Resolve() ABSL_LOCKS_EXCLUDED(mutex_);
  [[nodiscard]] bool StopsWithin(std::chrono::nanoseconds patience) ABSL_LOCKS_EXCLUDED(mutex_);

  const DnsResolverOptions options_;
  const LookUp look_up_;
  const OnOutcome on_outcome_;
  Notification told_;
  Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace spanloom::pipeline
