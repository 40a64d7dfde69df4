// SPDX-License-Identifier: Apache-2.0

#include "kube/endpoint_slice.h"

#include "kube/json.h"

namespace spanloom::kube {

EndpointSlice ReadEndpointSlice(const simdjson::dom::element& object) {
  EndpointSlice slice{.meta = ReadMeta(object), .address_type = TextAt(object, "addressType"), .endpoints = {}};
  ForEachAt(object, "endpoints", [&](const simdjson::dom::element& endpoint) {
    SliceEndpoint read{.address = "", .hostname = TextAt(endpoint, "hostname")};
    ForEachAt(endpoint, "addresses", [&](const simdjson::dom::element& address) {
      std::string_view text;
      if (read.address.empty() && address.get(text) == simdjson::SUCCESS) read.address = text;
    });
    bool is_ready = true;
    if (endpoint["conditions"]["ready"].get(is_ready) == simdjson::SUCCESS) read.is_ready = is_ready;
    if (!read.address.empty()) slice.endpoints.push_back(read);
  });
  return slice;
}

}  // namespace spanloom::kube
