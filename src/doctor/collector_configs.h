// SPDX-License-Identifier: Apache-2.0
//
// The configurations of collectors that Kubernetes objects hold.

#pragma once

#include <vector>

#include "config/node.h"

namespace spanloom::doctor {

// Those of a ConfigMap, where each is a text, and of an OpenTelemetryCollector, where it is a tree. What is no whole
// configuration is left out: it may be merged over another. Where they stand is counted in lines of the object's file.
[[nodiscard]] std::vector<config::Node> CollectorConfigsOf(const config::Node& object);

}  // namespace spanloom::doctor
