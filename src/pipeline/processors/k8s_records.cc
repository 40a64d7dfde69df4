// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/k8s_records.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>
#include <absl/time/time.h>

#include <optional>
#include <utility>

#include "base/text.h"
#include "pipeline/processors/image_reference.h"
#include "semconv/names.h"

namespace spanloom::pipeline {
namespace {

namespace resource = semconv::resource;

constexpr size_t kTemplateHashSize = 10;  // behind a Deployment's name in those of its ReplicaSets

PackedTexts Packed(const AttributeTexts& attributes) {
  PackedTexts packed;
  for (const auto& [key, text] : attributes.all()) packed.Add(key, text);
  packed.Close();
  return packed;
}

void SetUnlessEmpty(AttributeTexts& attributes, bool is_wanted, std::string_view key, std::string_view text) {
  if (is_wanted && !text.empty()) attributes.Set(key, text);
}

int64_t UnixSeconds(std::string_view rfc3339) {
  absl::Time time;
  if (rfc3339.empty() || !absl::ParseTime(absl::RFC3339_full, AbslView(rfc3339), &time, nullptr)) return 0;
  return absl::ToUnixSeconds(time);
}

// What stands in front of the last "-", if what stands behind it is a hash of a pod template; else "".
std::string_view NameBeforeHash(std::string_view replicaset) {
  const size_t dash = replicaset.rfind('-');
  if (dash == std::string_view::npos || replicaset.size() - dash - 1 != kTemplateHashSize) return {};
  const bool is_hash = absl::c_all_of(replicaset.substr(dash + 1),
                                      [](unsigned char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c); });
  return is_hash ? replicaset.substr(0, dash) : std::string_view();
}

// The name of the Deployment that made the ReplicaSet of a pod. Its hash is 8 to 10 characters long and labels the pod,
// which decides; a pod without the label is judged by the shape of the name, as the Collector does.
std::string_view DeploymentOf(std::string_view replicaset, const kube::ObjectMeta& pod) {
  const std::string_view* const hash = kube::FindText(pod.labels, "pod-template-hash");
  const size_t dash = replicaset.rfind('-');
  const bool is_labelled = hash != nullptr && dash != std::string_view::npos && replicaset.substr(dash + 1) == *hash;
  return is_labelled ? replicaset.substr(0, dash) : NameBeforeHash(replicaset);
}

// What stands in front of the last "-" of a Job's name, if a CronJob made it: behind it is a time. Else "".
std::string_view NameBeforeTime(std::string_view job) {
  const size_t dash = job.rfind('-');
  if (dash == std::string_view::npos || dash + 1 == job.size()) return {};
  const bool is_time = absl::c_all_of(job.substr(dash + 1), [](unsigned char c) { return absl::ascii_isdigit(c); });
  return is_time ? job.substr(0, dash) : std::string_view();
}

// The attributes of one pod, put together.
class PodReader {
 public:
  PodReader(const kube::Pod& pod, const K8sRules& rules, const K8sObjects& objects)
      : pod_(pod), rules_(rules), wants_(rules.wants), objects_(objects) {}

  PackedTexts Attributes(PackedTexts& owner_uids) {
    SetOwn();
    SetServiceName(pod_.meta.name);
    for (const kube::OwnerReference& owner : pod_.meta.owners) SetOwner(owner, owner_uids);
    owner_uids.Close();
    rules_.ExtractLabels(K8sSource::kPod, pod_.meta, attributes_);
    SetFromLabel(wants_.service_name, resource::kServiceName, "app.kubernetes.io/name");
    SetFromLabel(wants_.service_name, resource::kServiceName, "app.kubernetes.io/instance");
    SetFromLabel(wants_.service_version, resource::kServiceVersion, "app.kubernetes.io/version");
    rules_.ExtractAnnotations(K8sSource::kPod, pod_.meta, attributes_);
    return Packed(attributes_);
  }

 private:
  void SetOwn() {
    Set(wants_.pod_name, resource::kPodName, pod_.meta.name);
    Set(wants_.pod_host_name, "k8s.pod.hostname", pod_.host_name);
    Set(wants_.pod_ip, "k8s.pod.ip", pod_.ip);
    Set(wants_.namespace_name, resource::kNamespaceName, pod_.meta.name_space);
    Set(wants_.service_namespace, "service.namespace", pod_.meta.name_space);
    Set(wants_.pod_start_time, "k8s.pod.start_time", pod_.meta.created);
    Set(wants_.pod_uid, "k8s.pod.uid", pod_.meta.uid);
    Set(wants_.node_name, resource::kNodeName, pod_.node_name);
  }

  void SetOwner(const kube::OwnerReference& owner, PackedTexts& owner_uids) {
    if (owner.kind == "ReplicaSet") return SetReplicaSet(owner, owner_uids);
    if (owner.kind == "Job") return SetJob(owner, owner_uids);
    if (owner.kind == "StatefulSet") {
      SetWorkload("k8s.statefulset", owner, wants_.statefulset_name, wants_.statefulset_uid);
      Keep(K8sSource::kStatefulSet, "statefulset", owner.uid, owner_uids);
    } else if (owner.kind == "DaemonSet") {
      SetWorkload("k8s.daemonset", owner, wants_.daemonset_name, wants_.daemonset_uid);
      Keep(K8sSource::kDaemonSet, "daemonset", owner.uid, owner_uids);
    }
  }

  void SetReplicaSet(const kube::OwnerReference& owner, PackedTexts& owner_uids) {
    SetWorkload("k8s.replicaset", owner, wants_.replicaset_name, wants_.replicaset_uid);
    Keep(K8sSource::kReplicaSet, "replicaset", owner.uid, owner_uids);
    const K8sObjectMirror::Object known = Find(K8sSource::kReplicaSet, owner.uid);
    const std::string_view deployment = rules_.deployment_name_from_replicaset ? DeploymentOf(owner.name, pod_.meta)
                                        : known != nullptr                     ? known->owner_name
                                                                               : std::string_view();
    Set(wants_.deployment_name, "k8s.deployment.name", deployment);
    SetServiceName(deployment);
    if (known == nullptr) return;
    Set(wants_.deployment_uid, "k8s.deployment.uid", known->owner_uid);
    Keep(K8sSource::kDeployment, "deployment", known->owner_uid, owner_uids);
  }

  void SetJob(const kube::OwnerReference& owner, PackedTexts& owner_uids) {
    SetWorkload("k8s.job", owner, wants_.job_name, wants_.job_uid);
    Keep(K8sSource::kJob, "job", owner.uid, owner_uids);
    const std::string_view cronjob = NameBeforeTime(owner.name);
    Set(wants_.cronjob_name, "k8s.cronjob.name", cronjob);
    SetServiceName(cronjob);
    const K8sObjectMirror::Object known = Find(K8sSource::kJob, owner.uid);
    if (known == nullptr) return;
    Set(wants_.cronjob_uid, "k8s.cronjob.uid", known->owner_uid);
    Keep(K8sSource::kCronJob, "cronjob", known->owner_uid, owner_uids);
  }

  void SetWorkload(std::string_view prefix, const kube::OwnerReference& owner, bool wants_name, bool wants_uid) {
    Set(wants_name, StrCat(prefix, ".name"), owner.name);
    Set(wants_uid, StrCat(prefix, ".uid"), owner.uid);
    SetServiceName(owner.name);
  }

  void SetServiceName(std::string_view name) { Set(wants_.service_name, resource::kServiceName, name); }

  void SetFromLabel(bool is_wanted, std::string_view key, std::string_view label) {
    const std::string_view* const text = kube::FindText(pod_.meta.labels, label);
    if (text != nullptr) Set(is_wanted, key, *text);
  }

  void Set(bool is_wanted, std::string_view key, std::string_view text) {
    SetUnlessEmpty(attributes_, is_wanted, key, text);
  }

  void Keep(K8sSource source, std::string_view source_text, std::string_view uid, PackedTexts& owner_uids) const {
    if (rules_.Extracts(source) && !uid.empty()) owner_uids.Add(source_text, uid);
  }

  [[nodiscard]] K8sObjectMirror::Object Find(K8sSource source, std::string_view uid) const {
    const auto& mirror = objects_[static_cast<size_t>(source)];
    return mirror == nullptr ? nullptr : mirror->Find(uid);
  }

  const kube::Pod& pod_;
  const K8sRules& rules_;
  const K8sMetadata& wants_;
  const K8sObjects& objects_;
  AttributeTexts attributes_;
};

K8sContainerRecord ContainerRecordOf(const kube::PodContainer& container, const kube::ObjectMeta& pod,
                                     const K8sMetadata& wants) {
  K8sContainerRecord record = {.name = std::string(container.name)};
  const size_t scheme = container.id.find("://");
  record.id = scheme == std::string_view::npos ? container.id : container.id.substr(scheme + 3);
  record.restart_count = container.restart_count;
  const ImageReference image = ImageReference::Of(container.image);
  // Whoever names no version at all runs the latest.
  const bool is_latest = !image.repository.empty() && image.tag.empty() && image.digest.empty();
  const std::string_view tag = is_latest ? "latest" : image.tag;
  AttributeTexts attributes;
  SetUnlessEmpty(attributes, wants.container_name, "k8s.container.name", container.name);
  SetUnlessEmpty(attributes, wants.image_name, "container.image.name", image.repository);
  SetUnlessEmpty(attributes, wants.image_tag, "container.image.tag", tag);
  SetUnlessEmpty(attributes, wants.service_version, resource::kServiceVersion, ImageVersion(image));
  if (wants.service_instance_id) {
    attributes.Set(resource::kServiceInstanceId, StrCat(pod.name_space, ".", pod.name, ".", container.name));
  }
  record.attributes = Packed(attributes);
  if (wants.image_tags) record.image_tag = tag;
  if (wants.image_repo_digests) record.repo_digest = CanonicalImage(container.image_id);
  return record;
}

bool IsAssociatedByContainer(const K8sRules& rules) {
  return absl::c_any_of(rules.associations, [](const K8sAssociationOptions& association) {
    return absl::c_any_of(association.sources,
                          [](const K8sAssociationSourceOptions& source) { return source.name == "container.id"; });
  });
}

std::string_view OwnerKindOf(K8sSource source) {
  if (source == K8sSource::kReplicaSet) return "Deployment";
  return source == K8sSource::kJob ? "CronJob" : "";
}

}  // namespace

K8sObjectRecord K8sObjectRecordOf(const kube::ObjectMeta& meta, K8sSource source, const K8sRules& rules) {
  K8sObjectRecord record = {.name = std::string(meta.name), .uid = std::string(meta.uid)};
  const std::string_view kind = OwnerKindOf(source);
  for (const kube::OwnerReference& owner : meta.owners) {
    if (!owner.is_controller || owner.kind != kind) continue;
    record.owner_name = owner.name;
    record.owner_uid = owner.uid;
  }
  AttributeTexts attributes;
  rules.ExtractLabels(source, meta, attributes);
  rules.ExtractAnnotations(source, meta, attributes);
  record.attributes = Packed(attributes);
  return record;
}

K8sPodRecord K8sPodRecordOf(const kube::Pod& pod, const K8sRules& rules, const K8sObjects& objects) {
  K8sPodRecord record;
  record.name = pod.meta.name;
  record.name_space = pod.meta.name_space;
  record.uid = pod.meta.uid;
  record.node_name = pod.node_name;
  record.ips.assign(pod.ips.begin(), pod.ips.end());
  record.started_s = UnixSeconds(pod.start_time);
  record.is_on_host_network = pod.is_on_host_network;
  record.is_ignored = rules.Ignores(pod);
  if (record.is_ignored) return record;
  record.attributes = PodReader(pod, rules, objects).Attributes(record.owner_uids);
  if (!rules.wants.of_containers() && !IsAssociatedByContainer(rules)) return record;
  record.containers.reserve(pod.containers.size());
  for (const kube::PodContainer& container : pod.containers) {
    record.containers.push_back(ContainerRecordOf(container, pod.meta, rules.wants));
  }
  return record;
}

K8sObjectMirror::Decode K8sObjectDecoder(std::shared_ptr<const K8sRules> rules, K8sSource source) {
  const bool is_by_name = source == K8sSource::kNamespace || source == K8sSource::kNode;
  return [rules = std::move(rules), source,
          is_by_name](const simdjson::dom::element& object) -> std::optional<K8sObjectMirror::Decoded> {
    K8sObjectRecord record = K8sObjectRecordOf(kube::ReadMeta(object), source, *rules);
    std::string key = is_by_name ? record.name : record.uid;
    if (key.empty()) return std::nullopt;
    return K8sObjectMirror::Decoded{std::move(key), std::move(record)};
  };
}

K8sPodMirror::Decode K8sPodDecoder(std::shared_ptr<const K8sRules> rules, K8sObjects objects) {
  return [rules = std::move(rules),
          objects = std::move(objects)](const simdjson::dom::element& object) -> std::optional<K8sPodMirror::Decoded> {
    const kube::Pod pod = kube::ReadPod(object);
    if (pod.meta.uid.empty()) return std::nullopt;
    return K8sPodMirror::Decoded{std::string(pod.meta.uid), K8sPodRecordOf(pod, *rules, objects)};
  };
}

}  // namespace spanloom::pipeline
