// SPDX-License-Identifier: Apache-2.0
//
// What k8s_attributes keeps of pods and of the objects around them: the attributes that they become.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kube/mirror.h"
#include "kube/object.h"
#include "pipeline/processors/k8s_rules.h"
#include "pipeline/processors/packed_texts.h"

namespace spanloom::pipeline {

// A namespace, node or workload.
struct K8sObjectRecord {
  std::string name;
  std::string uid;
  std::string owner_name;  // of a ReplicaSet its Deployment, of a Job its CronJob; "" if there is none
  std::string owner_uid;
  PackedTexts attributes;
  bool operator==(const K8sObjectRecord&) const = default;
};
using K8sObjectMirror = kube::Mirror<K8sObjectRecord>;

// By K8sSource; null where nothing is watched, and of pods.
using K8sObjects = std::array<std::shared_ptr<K8sObjectMirror>, kK8sSources>;

struct K8sContainerRecord {
  std::string name;
  std::string id;             // without its runtime; "" if it has not run
  int64_t restart_count = 0;  // of the run with that id
  PackedTexts attributes;     // but those below
  std::string image_tag;      // for container.image.tags; "" if that is not wanted
  std::string repo_digest;    // for container.image.repo_digests; "" if that is not wanted
  bool operator==(const K8sContainerRecord&) const = default;
};

struct K8sPodRecord {
  std::string name;
  std::string name_space;
  std::string uid;
  std::string node_name;
  std::vector<std::string> ips;
  int64_t started_s = 0;  // Unix time; 0 if it has not started
  bool is_on_host_network = false;
  bool is_ignored = false;  // then it has no attributes
  PackedTexts attributes;
  PackedTexts owner_uids;  // by K8sSource in words; of those whose labels or annotations are read
  std::vector<K8sContainerRecord> containers;
  bool operator==(const K8sPodRecord&) const = default;
};
using K8sPodMirror = kube::Mirror<K8sPodRecord>;

// The key of a mirror of that source is the name of a namespace or node, and the UID of others.
[[nodiscard]] K8sObjectRecord K8sObjectRecordOf(const kube::ObjectMeta& meta, K8sSource source, const K8sRules& rules);
[[nodiscard]] K8sPodRecord K8sPodRecordOf(const kube::Pod& pod, const K8sRules& rules, const K8sObjects& objects);

// The same, as mirrors take them.
[[nodiscard]] K8sObjectMirror::Decode K8sObjectDecoder(std::shared_ptr<const K8sRules> rules, K8sSource source);
[[nodiscard]] K8sPodMirror::Decode K8sPodDecoder(std::shared_ptr<const K8sRules> rules, K8sObjects objects);

}  // namespace spanloom::pipeline
