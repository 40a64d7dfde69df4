// SPDX-License-Identifier: Apache-2.0
//
// Several configurations become one, as the Collector merges its --config locations and --set properties.

#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "config/node.h"

namespace spanloom::config {

// `over` laid over `base`: maps are joined key by key, deeply; anything else, a list or an explicit null too, replaces
// what stood there (so `http: null` leaves the key with its defaults). Keys of `base` come first. A map that both have
// is said to stand where `over` has it: the last who touched it is asked about it.
Node Merge(const Node& base, const Node& over);

// The map {keys[0]: {keys[1]: ... value}}, said to come from `source`.
Node Nested(std::span<const std::string> keys, Node value, const Source& source);

// `map` with each key "a::b" of its own (not of maps below it) spread out to {a: {b: ...}}: the Collector's way to
// write a path in one line, as in --config 'yaml:processors::batch::timeout: 2s'.
Node SpreadKeyPaths(const Node& map);

// "a.b.c=value" (as --set takes it; "a::b::c" too) as the map {a: {b: {c: value}}}; the value is read as YAML.
// kInvalidArgument if there is no "=", a key is empty, or the value is not YAML.
StatusOr<Node> ParseSetting(std::string_view setting);

}  // namespace spanloom::config
