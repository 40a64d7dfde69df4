// SPDX-License-Identifier: Apache-2.0
//
// Which pod spans come from, when nothing in them says so: llm-d's charts give every decode pod the same service name
// and no pod name. Then the address they came from is all there is.

#pragma once

#include <string_view>

#include "otlp/batch.h"

namespace spanloom::pipeline {

// Lists the attributes of a resource that were not sent with it: "k8s.pod.ip".
inline constexpr std::string_view kInferredKey = "spanloom.inferred";

// Gives a resource without k8s.pod.name, k8s.pod.uid and k8s.pod.ip the address that its request came from as
// k8s.pod.ip, and says so in spanloom.inferred. Not for requests from this machine, nor through anything without an
// address. Behind an agent or a gateway it is the address of that.
void InferPod(otlp::Batch& batch);

}  // namespace spanloom::pipeline
