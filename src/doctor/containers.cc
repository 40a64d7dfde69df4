// SPDX-License-Identifier: Apache-2.0

#include "doctor/containers.h"

#include "doctor/switches.h"

namespace spanloom::doctor {
namespace {

using config::Node;

void Gather(const Node& object, std::vector<const Node*>& containers) {
  for (const std::string_view key : {"initContainers", "containers"}) {
    for (const Node& container : NodesAt(object, key)) containers.push_back(&container);
  }
  for (const Node::Entry& entry : object.entries()) {
    const bool is_pod_part = entry.key == "initContainers" || entry.key == "containers";
    if (!is_pod_part && entry.value.is_map()) Gather(entry.value, containers);
  }
}

}  // namespace

std::vector<const Node*> ContainersOf(const Node& object) {
  std::vector<const Node*> containers;
  Gather(object, containers);
  return containers;
}

}  // namespace spanloom::doctor
