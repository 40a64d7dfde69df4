// SPDX-License-Identifier: Apache-2.0

#include "pipeline/receivers/large_requests.h"

#include <memory>
#include <utility>

namespace spanloom::pipeline {

void LargeRequests::Run(WorkerPool::Task task) {
  {
    const MutexLock lock(mutex_);
    ++at_workers_;
  }
  // Shared, since a task that a full pool leaves alone would be gone with the lambda around it.
  const auto shared_task = std::make_shared<WorkerPool::Task>(std::move(task));
  const auto run = [this, shared_task] {
    (*shared_task)();
    *shared_task = nullptr;  // what it holds goes before Drain returns
    const MutexLock lock(mutex_);
    --at_workers_;
  };
  if (!workers_.Submit(run)) run();
}

void LargeRequests::Drain() {
  const MutexLock lock(mutex_);
  mutex_.Await([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return at_workers_ == 0; });
}

}  // namespace spanloom::pipeline
