// SPDX-License-Identifier: Apache-2.0

#include "net/loop.h"

#include <pthread.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/process_cores.h"
#include "base/text.h"
#include "net/detail/asio.h"
#include "net/loop_rest.h"

namespace spanloom::net {
namespace {

constexpr size_t kWorkers = 2;          // guess
constexpr size_t kWorkerQueueMax = 64;  // tasks; what they hold is bounded by those who submit them; guess

thread_local const Loop* current_loop = nullptr;

}  // namespace

struct Timer::State {
  State(asio::io_context& context, Task timer_task) : timer(context), task(std::move(timer_task)) {}

  asio::steady_timer timer;
  Task task;  // empty once it ran or was cancelled
};

Timer::Timer() = default;
Timer::Timer(std::shared_ptr<State> state) : state_(std::move(state)) {}
Timer::Timer(Timer&&) noexcept = default;

Timer& Timer::operator=(Timer&& other) noexcept {
  if (this != &other) {
    Cancel();
    state_ = std::move(other.state_);
  }
  return *this;
}

Timer::~Timer() {
  Cancel();
}

void Timer::Cancel() {
  if (state_ == nullptr) return;
  const std::shared_ptr<State> state = std::move(state_);
  state->task = nullptr;
  state->timer.cancel();
}

Loop::Loop() : internal_(std::make_unique<Internal>()) {}
Loop::~Loop() = default;

void Loop::Post(Task task) {
  asio::post(internal_->context, std::move(task));
}

Timer Loop::PostAfter(std::chrono::nanoseconds delay, Task task) {
  DCHECK(IsCurrent());
  auto state = std::make_shared<Timer::State>(internal_->context, std::move(task));
  state->timer.expires_after(delay);
  state->timer.async_wait([state](const error_code& error) {
    if (error || !state->task) return;
    Task expired_task = std::move(state->task);
    state->task = nullptr;
    expired_task();
  });
  return Timer(std::move(state));
}

bool Loop::IsCurrent() const {
  return current_loop == this;
}

void Loop::Run(LoopRest rest) {
  current_loop = this;
  const auto keep_running = asio::make_work_guard(internal_->context);
  if (rest == LoopRest::kWhenItPays) {
    RunWithRests();
  } else {
    internal_->context.run();
  }
  current_loop = nullptr;
}

void Loop::RunWithRests() {
  asio::io_context& context = internal_->context;
  RestPolicy policy;
  bool rests = false;
  LoopUsage begin = ThreadUsage(internal_->bytes_read);
  while (!context.stopped()) {
    const auto end = std::chrono::steady_clock::now() + kRestWindow;
    if (!rests) context.run_until(end);
    while (rests && !context.stopped() && std::chrono::steady_clock::now() < end) {
      context.poll();
      std::this_thread::sleep_for(kLoopRest);
    }
    const LoopUsage now = ThreadUsage(internal_->bytes_read);
    rests = policy.RestsNext(now - begin);
    begin = now;
  }
}

void Loop::Stop() {
  internal_->context.stop();
}

struct LoopPool::State {
  std::vector<std::unique_ptr<Loop>> loops;
  std::vector<std::thread> threads;
  std::atomic<size_t> next = 0;
  std::once_flag workers_once;
  std::unique_ptr<WorkerPool> workers;
};

LoopPool::LoopPool(size_t count, LoopRest rest) : state_(std::make_unique<State>()) {
  if (count == 0) count = FindUsableCores().count;
  for (size_t i = 0; i < count; ++i) {
    Loop& loop = *state_->loops.emplace_back(std::make_unique<Loop>());
    std::thread& thread = state_->threads.emplace_back([&loop, rest] { loop.Run(rest); });
    pthread_setname_np(thread.native_handle(), StrCat("spanloom-loop-", i % 10).c_str());  // Linux takes 15 characters
  }
}

LoopPool::~LoopPool() {
  for (const auto& loop : state_->loops) loop->Stop();
  for (std::thread& thread : state_->threads) thread.join();
  state_->workers.reset();  // its tasks may still post
}

size_t LoopPool::size() const {
  return state_->loops.size();
}

Loop& LoopPool::At(size_t index) {
  CHECK(index < state_->loops.size());
  return *state_->loops[index];
}

WorkerPool& LoopPool::workers() {
  std::call_once(state_->workers_once, [this] {
    state_->workers = std::make_unique<WorkerPool>("spanloom-work", kWorkers, kWorkerQueueMax);
  });
  return *state_->workers;
}

Loop& LoopPool::Next() {
  return At(state_->next.fetch_add(1, std::memory_order_relaxed) % size());
}

}  // namespace spanloom::net
