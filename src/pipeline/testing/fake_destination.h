// SPDX-License-Identifier: Apache-2.0
//
// For tests of sending queues: what they send to, without a network.

#pragma once

#include <absl/base/thread_annotations.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/mutex.h"
#include "net/loop.h"
#include "pipeline/exporters/queue.h"
#include "pipeline/testing/fake_consumer.h"

namespace spanloom::pipeline {

// A destination on the queue's loop that answers attempts with a script, then with its default; or holds them.
class FakeDestination {
 public:
  explicit FakeDestination(net::Loop& loop) : loop_(loop) {}

  void Script(StatusOr<size_t> answer) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    script_.push_back(std::move(answer));
  }
  void AnswerWith(StatusOr<size_t> answer) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    default_ = std::move(answer);
  }
  void Hold() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    holds_ = true;
  }
  void Release(const StatusOr<size_t>& answer) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    holds_ = false;
    for (SendDone& done : held_) PostAnswer(answer, std::move(done));
    held_.clear();
  }
  void Send(const Bytes& message, SendDone done) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    attempts_.emplace_back(message.view());
    if (holds_) return held_.push_back(std::move(done));
    StatusOr<size_t> answer = default_;
    if (!script_.empty()) {
      answer = script_.front();
      script_.pop_front();
    }
    PostAnswer(std::move(answer), std::move(done));
  }
  std::vector<std::string> attempts() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    return attempts_;
  }
  bool AwaitAttempts(size_t count) const ABSL_LOCKS_EXCLUDED(mutex_) {
    const auto there = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return attempts_.size() >= count; };
    MutexLock lock(mutex_);
    return mutex_.AwaitFor(there, kPatience);
  }

 private:
  void PostAnswer(StatusOr<size_t> answer, SendDone done) {
    loop_.Post([answer = std::move(answer), done = std::move(done)]() mutable { std::move(done)(std::move(answer)); });
  }

  net::Loop& loop_;
  mutable Mutex mutex_;
  StatusOr<size_t> default_ ABSL_GUARDED_BY(mutex_) = size_t{0};
  std::deque<StatusOr<size_t>> script_ ABSL_GUARDED_BY(mutex_);
  bool holds_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<SendDone> held_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> attempts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace spanloom::pipeline
