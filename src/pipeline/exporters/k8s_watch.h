// SPDX-License-Identifier: Apache-2.0
//
// The addresses behind a Service of the cluster, told as they change.

#pragma once

#include <absl/base/thread_annotations.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "config/options.h"
#include "kube/api_client.h"
#include "kube/cluster_access.h"
#include "kube/reflector.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

struct K8sResolverOptions {
  std::string service = {};                // "NAME.NAMESPACE", or "NAME" in the namespace of this pod
  std::optional<config::Node> ports = {};  // a list of numbers; unset: 4317
  std::chrono::nanoseconds timeout = std::chrono::seconds(1);
  bool return_hostnames = false;
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;

  // kInvalidArgument, as Validate says, if they are none.
  [[nodiscard]] StatusOr<std::vector<std::string>> Ports() const;
};

// Used from one thread that is not a loop's.
class K8sWatch {
 public:
  // Told each outcome, on the watch's own thread: sorted addresses ("10.0.0.7:4317", "[fd00::7]:4317",
  // "samplers-0.samplers.mon:4317") of endpoints that are ready, perhaps none; or why they are not known: errors of
  // kube::Reflector, kFailedPrecondition if one has no host name and names are asked for. Of a Service with addresses
  // of both families those of IPv4.
  using OnOutcome = std::function<void(const StatusOr<std::vector<std::string>>& endpoints)>;

  K8sWatch(K8sResolverOptions options, kube::Surroundings surroundings, const BuildContext& context,
           OnOutcome on_outcome);
  ~K8sWatch();

  // Returns when the first outcome has been told, or after the timeout. Errors: those of kube::InClusterAccess and
  // kube::KubeconfigAccess; reads files.
  Status Start();
  // Nothing is told afterwards.
  void Stop();

 private:
  class Slices;

  // By $KUBECONFIG if it is set; else as the cluster's pods, or else by ~/.kube/config, as the clients of Go do.
  [[nodiscard]] StatusOr<kube::ClusterAccess> Access() const;
  Status Open(kube::ClusterAccess access);
  void Run();

  const K8sResolverOptions options_;
  const kube::Surroundings surroundings_;
  const BuildContext context_;
  const OnOutcome on_outcome_;
  net::Loop& loop_;
  std::shared_ptr<Slices> slices_;  // null until Start; shared with what is under way on worker threads
  // Of the loop.
  std::unique_ptr<kube::ApiClient> client_;
  std::unique_ptr<kube::Reflector> reflector_;

  Notification told_;
  std::thread thread_;
};

}  // namespace spanloom::pipeline
