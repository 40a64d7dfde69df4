// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/ticker.h"

#include <utility>

#include "net/loop_call.h"

namespace spanloom::pipeline {

Ticker::Ticker(net::LoopPool& loops, std::chrono::nanoseconds interval, std::function<void()> task)
    : loops_(loops), loop_(loops.Next()), interval_(interval), task_(std::move(task)) {}

void Ticker::Start() {
  is_started_ = true;
  loop_.Post([this] { Wait(); });
}

void Ticker::Stop() {
  if (!std::exchange(is_started_, false)) return;
  RunOn(loop_, [this] {
    is_stopped_ = true;
    timer_.Cancel();
  });
  {
    const MutexLock lock(mutex_);
    mutex_.Await([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !is_running_; });
  }
  // The run that has just ended has posted to the loop.
  RunOn(loop_, [] {});
}

void Ticker::Wait() {
  if (!is_stopped_) timer_ = loop_.PostAfter(interval_, [this] { OnTime(); });
}

void Ticker::OnTime() {
  {
    const MutexLock lock(mutex_);
    is_running_ = true;
  }
  if (loops_.workers().Submit([this] { Run(); })) return;
  End();  // the workers are busy: next time
}

void Ticker::Run() {
  task_();
  End();
}

void Ticker::End() {
  loop_.Post([this] { Wait(); });
  const MutexLock lock(mutex_);
  is_running_ = false;
}

}  // namespace spanloom::pipeline
