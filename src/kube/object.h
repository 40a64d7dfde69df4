// SPDX-License-Identifier: Apache-2.0
//
// What is read of objects of the API: the metadata that all have, and of a pod where it runs, its addresses and its
// containers. Source: Kubernetes API reference, ObjectMeta and Pod v1.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace simdjson::dom {
class element;
}

namespace spanloom::kube {

// Views of an object's JSON, as long as that lives.
using TextMap = std::vector<std::pair<std::string_view, std::string_view>>;  // in order

// The value of `key`; nullptr if there is none.
[[nodiscard]] const std::string_view* FindText(const TextMap& map, std::string_view key);

struct OwnerReference {
  std::string_view kind;  // "ReplicaSet"
  std::string_view name;
  std::string_view uid;
  bool is_controller = false;
};

struct ObjectMeta {
  std::string_view name;
  std::string_view name_space;
  std::string_view uid;
  std::string_view created;  // "2026-01-01T00:00:00Z"
  TextMap labels;
  TextMap annotations;
  std::vector<OwnerReference> owners;
};

struct PodContainer {
  std::string_view name;
  std::string_view image = {};  // as in the pod's spec; "" if only its status is known
  // Of its status; "" while there is none.
  std::string_view id = {};        // "containerd://9c0f..."
  std::string_view image_id = {};  // "docker.io/library/nginx@sha256:..."
  int64_t restart_count = 0;
};

struct Pod {
  ObjectMeta meta;
  std::string_view node_name;
  std::string_view host_name;
  bool is_on_host_network = false;
  std::string_view ip;  // the first of `ips`
  std::vector<std::string_view> ips;
  std::string_view start_time;           // "" if it was not started
  std::vector<PodContainer> containers;  // those of the pod, then its init containers
};

[[nodiscard]] ObjectMeta ReadMeta(const simdjson::dom::element& object);
[[nodiscard]] Pod ReadPod(const simdjson::dom::element& object);

}  // namespace spanloom::kube
