// SPDX-License-Identifier: Apache-2.0
//
// Several configurations become one, as the Collector merges its --config locations and --set properties.

#pragma once

#include <string_view>

#include "base/status.h"
#include "config/node.h"

namespace spanloom::config {

// `over` laid over `base`: maps are joined key by key, deeply; anything else, a list or an explicit null too, replaces
// what stood there (so `http: null` leaves the key with its defaults). Keys of `base` come first. A map that both have
// is said to stand where `over` has it: the last who touched it is asked about it.
Node Merge(const Node& base, const Node& over);

// "a.b.c=value" (as --set takes it; "a::b::c" too) as the map {a: {b: {c: value}}}; the value is read as YAML.
// kInvalidArgument if there is no "=", a key is empty, or the value is not YAML.
StatusOr<Node> ParseSetting(std::string_view setting);

}  // namespace spanloom::config
