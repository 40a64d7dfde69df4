// SPDX-License-Identifier: Apache-2.0
//
// The k8s_attributes processor: finds the pod that spans come from and adds what Kubernetes knows of it to their
// resource.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/metrics.h"
#include "pipeline/processors/k8s_associations.h"
#include "pipeline/processors/k8s_cluster.h"
#include "pipeline/processors/k8s_options.h"
#include "pipeline/processors/k8s_rules.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// Thread-safe; holds nothing of what passes. An attribute that a resource has is left as it is, unless it is empty.
class K8sAttributesProcessor final : public TransformProcessor {
 public:
  K8sAttributesProcessor(const ComponentId& id, const K8sAttributesOptions& options, const BuildContext& context);
  ~K8sAttributesProcessor() override;

  // Errors as K8sCluster::Start.
  Status Start() override;
  void Stop(std::chrono::milliseconds grace) override;

  // Always OK: what is not known is not added.
  Status Process(otlp::Batch& batch) override;

 private:
  void Add(otlp::ResourceEditor& resource, std::string_view peer_address);
  K8sPodMirror::Object AddPod(otlp::ResourceEditor& resource, const K8sAssociations::Identifier* identifier);
  void AddNamespace(otlp::ResourceEditor& resource, const K8sPodRecord* pod) const;
  void AddNode(otlp::ResourceEditor& resource, const K8sPodRecord* pod) const;
  void AddOwners(otlp::ResourceEditor& resource, const K8sPodRecord* pod) const;

  const bool is_passthrough_;
  const std::shared_ptr<const K8sRules> rules_;  // shared with the cluster's mirrors
  const K8sAssociations associations_;
  Counter& misses_;
  const std::unique_ptr<K8sCluster> cluster_;  // null if nothing is asked
};

// Processor type "k8s_attributes", whose older name is "k8sattributes".
void RegisterK8sAttributesProcessor(Registry& registry);

}  // namespace spanloom::pipeline
