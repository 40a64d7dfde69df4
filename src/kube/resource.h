// SPDX-License-Identifier: Apache-2.0
//
// Kinds of objects that an API server has, which of them are wanted, and the URLs by which they are listed and watched.
// Source: Kubernetes API concepts, "Resource URIs", "Efficient detection of changes".

#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace spanloom::kube {

// One kind of object: {"apps", "v1", "replicasets"}. A value; the texts live for ever.
struct Resource {
  std::string_view group;    // "" of the core group
  std::string_view version;  // "v1"
  std::string_view plural;   // "pods"
  bool is_namespaced = true;
  // Only the metadata of the objects is asked for: a tenth of the bytes where there are templates in them. A server
  // that can't answers with whole objects.
  bool is_metadata_only = false;
};

inline constexpr Resource kPods = {.group = "", .version = "v1", .plural = "pods"};
inline constexpr Resource kNamespaces = {
    .group = "", .version = "v1", .plural = "namespaces", .is_namespaced = false, .is_metadata_only = true};
inline constexpr Resource kNodes = {
    .group = "", .version = "v1", .plural = "nodes", .is_namespaced = false, .is_metadata_only = true};
inline constexpr Resource kDeployments = {
    .group = "apps", .version = "v1", .plural = "deployments", .is_metadata_only = true};
inline constexpr Resource kReplicaSets = {
    .group = "apps", .version = "v1", .plural = "replicasets", .is_metadata_only = true};
inline constexpr Resource kStatefulSets = {
    .group = "apps", .version = "v1", .plural = "statefulsets", .is_metadata_only = true};
inline constexpr Resource kDaemonSets = {
    .group = "apps", .version = "v1", .plural = "daemonsets", .is_metadata_only = true};
inline constexpr Resource kJobs = {.group = "batch", .version = "v1", .plural = "jobs", .is_metadata_only = true};
inline constexpr Resource kCronJobs = {
    .group = "batch", .version = "v1", .plural = "cronjobs", .is_metadata_only = true};

// Which objects of a kind.
struct Selection {
  std::string name_space = {};      // "": of all namespaces
  std::string label_selector = {};  // "app=vllm,tier!=test"; "": any
  std::string field_selector = {};  // "spec.nodeName=node-1"; "": any
};

// What "Accept" asks for: objects, or the metadata of objects. `is_list`: a list, or single objects of a watch.
[[nodiscard]] std::string AcceptOf(const Resource& resource, bool is_list);

// "/apis/apps/v1/namespaces/prod/replicasets".
[[nodiscard]] std::string PathOf(const Resource& resource, const Selection& selection);

// The query for one page of at most `objects_max`; `continue_token` is what the page before said, "" for the first one.
[[nodiscard]] std::string ListQuery(const Selection& selection, int objects_max, std::string_view continue_token);

// The query for what changes after `resource_version`, for at most `duration`.
[[nodiscard]] std::string WatchQuery(const Selection& selection, std::string_view resource_version,
                                     std::chrono::seconds duration);

// The permission that listing and watching takes, as a rule of a ClusterRole, or of a Role if that is enough:
// `Role in namespace prod: {apiGroups: ["apps"], resources: ["replicasets"], verbs: ["get", "list", "watch"]}`.
[[nodiscard]] std::string RbacRule(const Resource& resource, const Selection& selection);

// `text` with all but unreserved characters as %XX (RFC 3986).
[[nodiscard]] std::string PercentEncode(std::string_view text);

}  // namespace spanloom::kube
