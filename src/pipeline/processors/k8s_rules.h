// SPDX-License-Identifier: Apache-2.0
//
// What k8s_attributes reads of the objects of a cluster, as its options say.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube/object.h"
#include "ottl/pattern.h"
#include "pipeline/processors/k8s_options.h"
#include "pipeline/processors/pattern.h"

namespace spanloom::pipeline {

// Whose labels and annotations can be read.
enum class K8sSource : uint8_t {
  kPod,
  kNamespace,
  kNode,
  kDeployment,
  kReplicaSet,
  kStatefulSet,
  kDaemonSet,
  kJob,
  kCronJob
};
inline constexpr size_t kK8sSources = 9;

// "pod", ...; nullopt if it is none.
[[nodiscard]] std::optional<K8sSource> SourceOfText(std::string_view text);
// "pod, namespace, ...".
[[nodiscard]] std::string K8sSourceTexts();

// Which of the attributes of extract.metadata are wanted.
struct K8sMetadata {
  bool pod_name = false;
  bool pod_uid = false;
  bool pod_ip = false;
  bool pod_host_name = false;
  bool pod_start_time = false;
  bool namespace_name = false;
  bool node_name = false;
  bool node_uid = false;
  bool cluster_uid = false;
  bool deployment_name = false;
  bool deployment_uid = false;
  bool replicaset_name = false;
  bool replicaset_uid = false;
  bool statefulset_name = false;
  bool statefulset_uid = false;
  bool daemonset_name = false;
  bool daemonset_uid = false;
  bool job_name = false;
  bool job_uid = false;
  bool cronjob_name = false;
  bool cronjob_uid = false;
  bool container_name = false;
  bool container_id = false;
  bool image_name = false;
  bool image_tag = false;
  bool image_tags = false;
  bool image_repo_digests = false;
  bool service_namespace = false;
  bool service_name = false;
  bool service_version = false;
  bool service_instance_id = false;

  explicit K8sMetadata(const std::vector<std::string>& names);
  [[nodiscard]] static bool IsKnown(std::string_view name);

  // Any that says something of a container.
  [[nodiscard]] bool of_containers() const {
    return container_name || container_id || image_name || image_tag || image_tags || image_repo_digests ||
           service_version || service_instance_id;
  }
};

// Attributes as they are put together: a later value of a key takes the place of an earlier one.
class AttributeTexts {
 public:
  void Set(std::string_view key, std::string_view text);
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& all() const { return texts_; }

 private:
  std::vector<std::pair<std::string, std::string>> texts_;
};

// Labels or annotations of one kind of object that become attributes. Immutable.
class K8sFieldRule {
 public:
  // `options` are valid. `singular` is "label" or "annotation".
  K8sFieldRule(const K8sFieldOptions& options, std::string_view singular);
  // Any key that begins with `prefix` becomes what stands behind it.
  static K8sFieldRule OfPrefix(std::string_view prefix);

  void Extract(const kube::TextMap& fields, AttributeTexts& attributes) const;

 private:
  explicit K8sFieldRule(std::string name) : name_(std::move(name)) {}

  std::string name_;    // the attribute; perhaps with references to groups
  std::string key_;     // "" if there is a pattern
  std::string prefix_;  // of attributes that are named by their key
  bool is_named_by_key_ = false;
  std::unique_ptr<const ottl::Pattern> pattern_;  // null: key_
};

// Immutable; thread-safe. Shared by all that read the cluster.
class K8sRules {
 public:
  explicit K8sRules(const K8sAttributesOptions& options);

  const K8sMetadata wants;
  const bool deployment_name_from_replicaset;
  const std::vector<K8sAssociationOptions> associations;

  // True if labels or annotations of such objects become attributes.
  [[nodiscard]] bool Extracts(K8sSource source) const;
  // True if such objects are to be watched.
  [[nodiscard]] bool Needs(K8sSource source) const;
  void ExtractLabels(K8sSource source, const kube::ObjectMeta& meta, AttributeTexts& attributes) const;
  void ExtractAnnotations(K8sSource source, const kube::ObjectMeta& meta, AttributeTexts& attributes) const;

  // True if nothing is to be said of the pod: its name is excluded, or its annotation asks for it.
  [[nodiscard]] bool Ignores(const kube::Pod& pod) const;

 private:
  std::array<std::vector<K8sFieldRule>, kK8sSources> labels_;
  std::array<std::vector<K8sFieldRule>, kK8sSources> annotations_;
  const PatternList excluded_;
};

}  // namespace spanloom::pipeline
