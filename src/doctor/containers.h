// SPDX-License-Identifier: Apache-2.0
//
// The containers of Kubernetes objects.

#pragma once

#include <vector>

#include "config/node.h"

namespace spanloom::doctor {

// Every container of every pod template in `object`, of any kind, those that run first included. Borrowed.
[[nodiscard]] std::vector<const config::Node*> ContainersOf(const config::Node& object);

}  // namespace spanloom::doctor
