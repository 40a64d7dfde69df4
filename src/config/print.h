// SPDX-License-Identifier: Apache-2.0
//
// A Node back to text, for print-config.

#pragma once

#include <cstdint>
#include <string>

#include "config/node.h"

namespace spanloom::config {

enum class Secrets : uint8_t { kShown, kRedacted };

// Block style, two spaces, keys in their order; ParseYaml of it gives an equal tree. With kRedacted, "[REDACTED]"
// stands for the values of keys that name a secret (token, password, ...) and for every header.
std::string ToYaml(const Node& node, Secrets secrets);

// The same as one JSON value on one line, which it ends.
std::string ToJson(const Node& node, Secrets secrets);

}  // namespace spanloom::config
