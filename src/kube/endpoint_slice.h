// SPDX-License-Identifier: Apache-2.0
//
// A part of the addresses behind a Service. Source: Kubernetes API, discovery.k8s.io/v1 EndpointSlice.

#pragma once

#include <string_view>
#include <vector>

#include "kube/object.h"
#include "kube/resource.h"

namespace spanloom::kube {

inline constexpr Resource kEndpointSlices = {.group = "discovery.k8s.io", .version = "v1", .plural = "endpointslices"};
// The label of a slice that names its Service.
inline constexpr std::string_view kServiceNameLabel = "kubernetes.io/service-name";

struct SliceEndpoint {
  std::string_view address;   // the first of them: all of one endpoint lead to the same
  std::string_view hostname;  // "" unless its pod has one, as those of a StatefulSet have
  bool is_ready = true;       // also if nothing is said of it, as the API has it
};

// Borrows the object.
struct EndpointSlice {
  ObjectMeta meta;
  std::string_view address_type;  // "IPv4", "IPv6", "FQDN"
  std::vector<SliceEndpoint> endpoints;
};

[[nodiscard]] EndpointSlice ReadEndpointSlice(const simdjson::dom::element& object);

}  // namespace spanloom::kube
