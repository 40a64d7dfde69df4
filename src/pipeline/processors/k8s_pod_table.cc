// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/k8s_pod_table.h"

#include <absl/algorithm/container.h>
#include <absl/container/flat_hash_map.h>

#include <utility>

namespace spanloom::pipeline {
namespace {

bool StartedBefore(const K8sPodRecord& a, const K8sPodRecord& b) {
  return a.started_s != 0 && b.started_s != 0 && a.started_s < b.started_s;
}

}  // namespace

void K8sPodTable::Apply(std::span<const K8sPodMirror::Difference> differences) {
  const MutexLock lock(mutex_);
  const int64_t until_ns = clock_.SteadyNs() + grace_ns_;
  absl::flat_hash_map<std::string, Object> changed;  // not in pods_ yet
  for (const auto& [before, after] : differences) {
    if (before == after) continue;
    const std::vector<std::string> keys = after == nullptr ? std::vector<std::string>() : associations_.KeysOf(*after);
    for (const std::string& key : keys) {
      const auto pending = changed.find(key);
      const Object holder = pending == changed.end() ? Find(key) : pending->second;
      if (holder == nullptr || !StartedBefore(*after, *holder)) changed[key] = after;
    }
    if (before == nullptr) continue;
    for (std::string& key : associations_.KeysOf(*before)) {
      if (!absl::c_linear_search(keys, key)) farewells_.push_back({std::move(key), before, until_ns});
    }
  }
  std::vector<kube::SharedMap<Object>::Edit> edits;
  edits.reserve(changed.size());
  for (auto& [key, pod] : changed) edits.emplace_back(key, std::move(pod));
  pods_.Apply(std::move(edits));
}

void K8sPodTable::Expire() {
  const MutexLock lock(mutex_);
  const int64_t now_ns = clock_.SteadyNs();
  std::vector<kube::SharedMap<Object>::Edit> edits;
  while (!farewells_.empty() && farewells_.front().until_ns <= now_ns) {
    Farewell& farewell = farewells_.front();
    // The key may be another's by now.
    if (Find(farewell.key) == farewell.pod) edits.emplace_back(std::move(farewell.key), std::nullopt);
    farewells_.pop_front();
  }
  pods_.Apply(std::move(edits));
}

}  // namespace spanloom::pipeline
