// SPDX-License-Identifier: Apache-2.0
//
// What k8s_attributes knows of a cluster, kept up to date between Start and Stop.

#pragma once

#include <absl/base/thread_annotations.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "kube/api_client.h"
#include "kube/reflector.h"
#include "pipeline/log_limiter.h"
#include "pipeline/processors/k8s_pod_table.h"
#include "pipeline/processors/k8s_records.h"
#include "pipeline/processors/k8s_rules.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// Start, Stop and the destructor are called from one thread that is not a loop's; the rest is thread-safe and waits for
// nobody.
class K8sCluster {
 public:
  K8sCluster(const std::string& id, const K8sAttributesOptions& options, std::shared_ptr<const K8sRules> rules,
             const BuildContext& context);
  ~K8sCluster();

  // Begins to watch; with wait_for_metadata it waits until pods are known. Errors: what the access to the cluster
  // lacks (cluster_access.h), kUnavailable if they are not known in time, with what was in the way.
  Status Start();
  void Stop();

  // nullptr if it is not known.
  [[nodiscard]] K8sPodMirror::Object FindPod(std::string_view key) const { return pods_->Find(key); }
  [[nodiscard]] K8sObjectMirror::Object Find(K8sSource source, std::string_view key) const;

 private:
  // One kind that is watched; of the loop.
  struct Watch {
    kube::Resource resource;
    std::unique_ptr<kube::Reflector> reflector;
    bool is_synced = false;
    bool is_in_trouble = false;
    std::unique_ptr<LogLimiter> log_limiter;
  };
  // Open while differences may be counted: until Stop.
  struct Gate {
    Mutex mutex;
    bool is_open ABSL_GUARDED_BY(mutex) = true;
  };
  struct ChangeCounters;

  [[nodiscard]] StatusOr<kube::ClusterAccess> Access() const;
  [[nodiscard]] kube::Selection SelectionOf(K8sSource source) const;
  [[nodiscard]] std::shared_ptr<ChangeCounters> CountersOf(K8sSource source) const;
  void MakeMirrors();
  void StartWatches();
  void StartWatch(K8sSource source, std::shared_ptr<kube::ReflectorSink> sink);
  void StartPodsIfDue();
  void StartPods();
  void OnState(K8sSource source, const Status& status);
  void ReportState();
  void ExpireLater();
  Status WaitForPods();

  const std::string id_;
  const K8sAttributesOptions options_;
  const std::shared_ptr<const K8sRules> rules_;  // shared with what is under way on worker threads, as the next three
  const BuildContext context_;
  net::Loop& loop_;
  const std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  const std::shared_ptr<K8sPodTable> pods_;
  K8sObjects objects_;
  std::shared_ptr<K8sPodMirror> pod_mirror_;
  ScopedGauge table_size_;

  // Of the loop.
  std::unique_ptr<kube::ApiClient> client_;
  std::array<Watch, kK8sSources> watches_;
  net::Timer patience_;  // for what pods are read with
  net::Timer expiry_;

  Mutex mutex_;
  bool is_known_ ABSL_GUARDED_BY(mutex_) = false;  // all pods have been listed
  Status trouble_ ABSL_GUARDED_BY(mutex_);         // the last one
};

}  // namespace spanloom::pipeline
