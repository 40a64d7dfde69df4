// SPDX-License-Identifier: Apache-2.0
//
// The pods that serve a model. Source: Gateway API Inference Extension, InferencePool v1 (inference.networking.k8s.io)
// and the older v1alpha2 (inference.networking.x-k8s.io), whose selectors differ in shape.

#pragma once

#include <string>
#include <string_view>

#include "kube/object.h"
#include "kube/resource.h"

namespace spanloom::kube {

inline constexpr Resource kInferencePools = {
    .group = "inference.networking.k8s.io", .version = "v1", .plural = "inferencepools"};
inline constexpr Resource kOldInferencePools = {
    .group = "inference.networking.x-k8s.io", .version = "v1alpha2", .plural = "inferencepools"};

// Borrows the object.
struct InferencePool {
  ObjectMeta meta;
  TextMap selector;  // labels that its pods have: all of them
};

// Labels below spec.selector.matchLabels (v1), or below spec.selector itself (v1alpha2).
[[nodiscard]] InferencePool ReadInferencePool(const simdjson::dom::element& object);

// As a label selector of a list: "app=vllm,role=decode".
[[nodiscard]] std::string LabelSelectorOf(const TextMap& selector);

}  // namespace spanloom::kube
