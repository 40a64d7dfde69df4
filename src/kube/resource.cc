// SPDX-License-Identifier: Apache-2.0

#include "kube/resource.h"

#include <absl/strings/ascii.h>

#include "base/text.h"

namespace spanloom::kube {
namespace {

std::string SelectorsOf(const Selection& selection) {
  std::string query;
  if (!selection.label_selector.empty()) StrAppend(query, "&labelSelector=", PercentEncode(selection.label_selector));
  if (!selection.field_selector.empty()) StrAppend(query, "&fieldSelector=", PercentEncode(selection.field_selector));
  return query;
}

bool IsWithinNamespace(const Resource& resource, const Selection& selection) {
  return resource.is_namespaced && !selection.name_space.empty();
}

}  // namespace

std::string PercentEncode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  static constexpr std::string_view kUnreserved = "-._~";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || kUnreserved.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += {'%', kHex[byte >> 4], kHex[byte & 0xf]};
    }
  }
  return encoded;
}

std::string AcceptOf(const Resource& resource, bool is_list) {
  if (!resource.is_metadata_only) return "application/json";
  return StrCat("application/json;as=PartialObjectMetadata", is_list ? "List" : "",
                ";g=meta.k8s.io;v=v1,application/json");
}

std::string PathOf(const Resource& resource, const Selection& selection) {
  std::string path = resource.group.empty() ? StrCat("/api/", resource.version)
                                            : StrCat("/apis/", resource.group, "/", resource.version);
  if (IsWithinNamespace(resource, selection)) StrAppend(path, "/namespaces/", PercentEncode(selection.name_space));
  StrAppend(path, "/", resource.plural);
  return path;
}

std::string ListQuery(const Selection& selection, int objects_max, std::string_view continue_token) {
  std::string query = StrCat("limit=", objects_max, SelectorsOf(selection));
  if (!continue_token.empty()) StrAppend(query, "&continue=", PercentEncode(continue_token));
  return query;
}

std::string WatchQuery(const Selection& selection, std::string_view resource_version, std::chrono::seconds duration) {
  return StrCat("watch=1&allowWatchBookmarks=true&resourceVersion=", PercentEncode(resource_version),
                "&timeoutSeconds=", duration.count(), SelectorsOf(selection));
}

std::string RbacRule(const Resource& resource, const Selection& selection) {
  const std::string role =
      IsWithinNamespace(resource, selection) ? StrCat("Role in namespace ", selection.name_space) : "ClusterRole";
  return StrCat(role, ": {apiGroups: [\"", resource.group, "\"], resources: [\"", resource.plural,
                "\"], verbs: [\"get\", \"list\", \"watch\"]}");
}

}  // namespace spanloom::kube
