// SPDX-License-Identifier: Apache-2.0
//
// grpc.testing.TestService, as doc/interop-test-descriptions.md of grpc/grpc describes the server's part.

#pragma once

#include <absl/base/thread_annotations.h>

#include <memory>
#include <set>
#include <string>

#include "base/mutex.h"
#include "net/grpc.h"

namespace spanloom::interop {

// The unary calls that reached the service, and where from. Thread-safe.
class Visitors {
 public:
  void Add(const std::string& peer) {
    const MutexLock lock(mutex_);
    ++calls_;
    peers_.insert(peer);
  }
  [[nodiscard]] size_t calls() const {
    const MutexLock lock(mutex_);
    return calls_;
  }
  [[nodiscard]] size_t connections() const {
    const MutexLock lock(mutex_);
    return peers_.size();
  }

 private:
  mutable Mutex mutex_;
  size_t calls_ ABSL_GUARDED_BY(mutex_) = 0;
  std::set<std::string> peers_ ABSL_GUARDED_BY(mutex_);
};

// All but UnimplementedCall, which is left out, as it must be. And /spanloom.testing.Sleep/Forever, which is never
// answered. Which of a stream's answers are compressed can't be chosen.
net::GrpcMethods TestService(std::shared_ptr<Visitors> visitors);

}  // namespace spanloom::interop
