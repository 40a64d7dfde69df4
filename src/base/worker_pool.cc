// SPDX-License-Identifier: Apache-2.0

#include "base/worker_pool.h"

#include <pthread.h>

#include <utility>

#include "base/check.h"
#include "base/mutex.h"
#include "base/text.h"

namespace spanloom {
namespace {

constexpr size_t kThreadNameMax = 15;  // pthread_setname_np(3)

}  // namespace

WorkerPool::WorkerPool(std::string name, size_t threads, size_t queue_max) : queue_max_(queue_max) {
  CHECK(threads > 0);
  for (size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { Run(); });
    const std::string thread_name = StrCat(name, "-", i).substr(0, kThreadNameMax);
    pthread_setname_np(threads_.back().native_handle(), thread_name.c_str());
  }
}

WorkerPool::~WorkerPool() {
  {
    const MutexLock lock(mutex_);
    ending_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

bool WorkerPool::Submit(Task&& task) {
  const MutexLock lock(mutex_);
  if (queue_.size() >= queue_max_) return false;
  queue_.push_back(std::move(task));
  return true;
}

size_t WorkerPool::queued() const {
  const MutexLock lock(mutex_);
  return queue_.size();
}

void WorkerPool::Run() {
  while (true) {
    Task task;
    {
      const MutexLock lock(mutex_);
      mutex_.Await([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ending_ || !queue_.empty(); });
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task();
  }
}

}  // namespace spanloom
