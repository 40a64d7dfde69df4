// SPDX-License-Identifier: Apache-2.0
//
// Pods by what resources say of them. A pod that is gone stays for a while, for spans that come late.

#pragma once

#include <absl/base/thread_annotations.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "kube/shared_map.h"
#include "pipeline/processors/k8s_associations.h"
#include "pipeline/processors/k8s_records.h"

namespace spanloom::pipeline {

// Thread-safe; Find waits for nobody (kube/shared_map.h).
class K8sPodTable {
 public:
  using Object = K8sPodMirror::Object;

  // `clock` outlives it.
  K8sPodTable(const K8sAssociations& associations, const Clock& clock, std::chrono::nanoseconds grace)
      : associations_(associations), clock_(clock), grace_ns_(grace.count()) {}

  // nullptr if there is none.
  [[nodiscard]] Object Find(std::string_view key) const { return pods_.Find(key).value_or(nullptr); }
  // Keys.
  [[nodiscard]] size_t size() const { return pods_.size(); }

  // Of two pods with one key, the one that was started later has it: addresses are used again.
  void Apply(std::span<const K8sPodMirror::Difference> differences) ABSL_LOCKS_EXCLUDED(mutex_);

  // Lets go of what has been gone for longer than the grace.
  void Expire() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Farewell {
    std::string key;
    Object pod;
    int64_t until_ns;  // steady time
  };

  const K8sAssociations associations_;
  const Clock& clock_;
  const int64_t grace_ns_;
  kube::SharedMap<Object> pods_;
  Mutex mutex_;                                             // of those who change pods_
  std::deque<Farewell> farewells_ ABSL_GUARDED_BY(mutex_);  // the earliest first
};

}  // namespace spanloom::pipeline
