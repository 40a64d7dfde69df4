// SPDX-License-Identifier: Apache-2.0
//
// Rules for what runs in a namespace: whether those who send spans name somebody who takes them, and why pods do not
// run. Source: Kubernetes API reference, Service, EndpointSlice, PodStatus, DeploymentStatus v1.

#pragma once

#include <set>
#include <string>
#include <vector>

#include "config/node.h"
#include "doctor/finding.h"

namespace spanloom::doctor {

// What of a cluster was read.
struct ClusterView {
  std::string name_space = {};             // that is asked about
  std::vector<config::Node> objects = {};  // each with "kind"; its sources' file is "deployment/vllm-decode"
  // Namespaces of which no Service is in `objects`, since they could not be read: nothing is said of these.
  std::set<std::string> unread_namespaces = {};
};

// An endpoint that names a Service of the cluster: "http://otel-collector:4317", "collector.monitoring.svc:4317".
struct NamedService {
  std::string endpoint;  // as it is written
  std::string name;
  std::string name_space;
  std::string port;  // "" if none is written
  std::string key;   // what it is the value of
  config::Source where;
};

// Where the workloads and the collectors of the view's namespace send spans to; hosts outside of the cluster are left
// out.
[[nodiscard]] std::vector<NamedService> ServicesNamedIn(const ClusterView& view);

// The rules of this file over the view, and those for Kubernetes objects over what users have written of it.
void CheckCluster(const ClusterView& view, Findings& findings);

}  // namespace spanloom::doctor
