// SPDX-License-Identifier: Apache-2.0

#include "kube/object.h"

#include <absl/algorithm/container.h>

#include "kube/json.h"

namespace spanloom::kube {
namespace {

using simdjson::dom::element;

bool FlagAt(const element& object, std::string_view key) {
  bool flag = false;
  return object[key].get(flag) == simdjson::SUCCESS && flag;
}

TextMap MapAt(const element& object, std::string_view key) {
  TextMap map;
  simdjson::dom::object entries;
  if (object[key].get(entries) != simdjson::SUCCESS) return map;
  for (const auto entry : entries) {
    std::string_view text;
    if (entry.value.get(text) == simdjson::SUCCESS) map.emplace_back(entry.key, text);
  }
  return map;
}

void ReadContainers(const element& spec, std::string_view key, std::vector<PodContainer>& containers) {
  ForEachAt(spec, key, [&](const element& container) {
    containers.push_back({.name = TextAt(container, "name"), .image = TextAt(container, "image")});
  });
}

void ReadContainerStatuses(const element& status, std::string_view key, std::vector<PodContainer>& containers) {
  ForEachAt(status, key, [&](const element& container_status) {
    const std::string_view name = TextAt(container_status, "name");
    auto container = absl::c_find_if(containers, [&](const PodContainer& known) { return known.name == name; });
    if (container == containers.end()) container = containers.insert(containers.end(), {.name = name});
    container->id = TextAt(container_status, "containerID");
    container->image_id = TextAt(container_status, "imageID");
    if (container_status["restartCount"].get(container->restart_count) != simdjson::SUCCESS) {
      container->restart_count = 0;
    }
  });
}

void ReadSpec(const element& spec, Pod& pod) {
  pod.node_name = TextAt(spec, "nodeName");
  pod.host_name = TextAt(spec, "hostname");
  pod.is_on_host_network = FlagAt(spec, "hostNetwork");
  ReadContainers(spec, "containers", pod.containers);
  ReadContainers(spec, "initContainers", pod.containers);
}

void ReadStatus(const element& status, Pod& pod) {
  pod.ip = TextAt(status, "podIP");
  ForEachAt(status, "podIPs", [&](const element& address) { pod.ips.push_back(TextAt(address, "ip")); });
  if (pod.ips.empty() && !pod.ip.empty()) pod.ips.push_back(pod.ip);
  pod.start_time = TextAt(status, "startTime");
  ReadContainerStatuses(status, "containerStatuses", pod.containers);
  ReadContainerStatuses(status, "initContainerStatuses", pod.containers);
}

}  // namespace

const std::string_view* FindText(const TextMap& map, std::string_view key) {
  const auto found = absl::c_find_if(map, [key](const auto& entry) { return entry.first == key; });
  return found == map.end() ? nullptr : &found->second;
}

ObjectMeta ReadMeta(const element& object) {
  element metadata;
  if (object["metadata"].get(metadata) != simdjson::SUCCESS) return {};
  ObjectMeta meta = {.name = TextAt(metadata, "name"),
                     .name_space = TextAt(metadata, "namespace"),
                     .uid = TextAt(metadata, "uid"),
                     .created = TextAt(metadata, "creationTimestamp"),
                     .labels = MapAt(metadata, "labels"),
                     .annotations = MapAt(metadata, "annotations"),
                     .owners = {}};
  ForEachAt(metadata, "ownerReferences", [&](const element& owner) {
    meta.owners.push_back({.kind = TextAt(owner, "kind"),
                           .name = TextAt(owner, "name"),
                           .uid = TextAt(owner, "uid"),
                           .is_controller = FlagAt(owner, "controller")});
  });
  return meta;
}

Pod ReadPod(const element& object) {
  Pod pod;
  pod.meta = ReadMeta(object);
  element part;
  if (object["spec"].get(part) == simdjson::SUCCESS) ReadSpec(part, pod);
  if (object["status"].get(part) == simdjson::SUCCESS) ReadStatus(part, pod);
  return pod;
}

}  // namespace spanloom::kube
