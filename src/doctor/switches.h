// SPDX-License-Identifier: Apache-2.0
//
// The block of a values file that turns tracing on: its keys and its switch.

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/node.h"
#include "doctor/finding.h"

namespace spanloom::doctor {

// The keys of each map below a block, by the map's path.
using KeyTable = std::vector<std::pair<std::string_view, std::vector<std::string>>>;

// What a chart does with a key that it does not know.
enum class KeyFate { kRefused, kIgnored };

// Keys of `block` (and of the maps in it that the table has) that the chart does not know. `path` is the block's.
void CheckKeys(const config::Node& block, std::string_view path, const KeyTable& known, KeyFate fate,
               Findings& findings);

// Whether the block's `enabled` turns tracing on, as a template sees it; says so if that is not what it looks like.
bool CheckSwitch(const config::Node& block, Findings& findings);

// The items of a list in a map; empty if there is none.
[[nodiscard]] const std::vector<config::Node>& NodesAt(const config::Node& node, std::string_view key);

}  // namespace spanloom::doctor
