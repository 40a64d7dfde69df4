// SPDX-License-Identifier: Apache-2.0
//
// YAML text to a Node. Anchors, aliases and merge keys ("<<") are resolved; what they may grow to is bounded.

#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "config/node.h"

namespace spanloom::config {

inline constexpr size_t kYamlBytesMax = 4 << 20;  // guess: a thousand times the largest file seen
inline constexpr size_t kYamlNodesMax = 200'000;  // aliases counted at every use; guess
inline constexpr int kYamlDepthMax = 100;         // guess

// Parses one document; empty text is null. kInvalidArgument names file and line: not YAML, a key given twice (as the
// Collector refuses it), a key that is no scalar, a second document, or a limit of above exceeded.
StatusOr<Node> ParseYaml(std::string_view text, std::string_view file);

// The documents of a stream, one after the other, as Kubernetes' manifests are. Otherwise as ParseYaml.
StatusOr<std::vector<Node>> ParseYamlStream(std::string_view text, std::string_view file);

}  // namespace spanloom::config
