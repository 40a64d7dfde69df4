// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/inferred_pod.h"

#include <absl/algorithm/container.h>

#include <string>
#include <utility>

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kPodIp = "k8s.pod.ip";
constexpr std::string_view kPodKeys[] = {"k8s.pod.name", "k8s.pod.uid", kPodIp};

bool IsOfThisMachine(std::string_view address) {
  return address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
}

bool NamesItsPod(const otlp::ResourceView& resource) {
  for (const otlp::AttributeView attribute : resource.attributes()) {
    if (absl::c_linear_search(kPodKeys, attribute.key())) return true;
  }
  return false;
}

}  // namespace

void InferPod(otlp::Batch& batch) {
  const auto is_told = [](const otlp::Slice& slice) {
    const otlp::RequestOrigin* origin = slice.origin().get();
    return origin != nullptr && !origin->peer_address.empty() && !IsOfThisMachine(origin->peer_address);
  };
  if (absl::c_none_of(std::as_const(batch).slices(), is_told)) return;
  for (otlp::Slice& slice : batch.slices()) {
    if (!is_told(slice)) continue;
    const std::string address = slice.origin()->peer_address;
    slice.EditResources([&](otlp::ResourceEditor& resource) {
      if (NamesItsPod(resource.view())) return;
      resource.SetString(kPodIp, address);
      resource.SetString(kInferredKey, kPodIp);
    });
  }
}

}  // namespace spanloom::pipeline
