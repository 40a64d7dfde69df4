// SPDX-License-Identifier: Apache-2.0
//
// The configuration that `serve` runs: the built-in one with the user's laid over it, so that a Collector file gains
// the store and the query servers without a change to it.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "config/node.h"

namespace spanloom::app {

struct ComposeOptions {
  std::string listen_host = "127.0.0.1";  // of every listener of the built-in configuration
  bool append_store = true;               // to traces pipelines that do not name it
};

struct ComposedConfig {
  config::Node root;
  std::vector<std::string> notes;  // what was added or gave way, a sentence each, for the log
};

// The built-in configuration as YAML.
std::string BuiltInConfig(std::string_view listen_host);

// Lays `user` (a map; expanded) over the built-in configuration:
//  - maps merge, lists of the user replace; but service.extensions is the union of both;
//  - the built-in receiver and its pipeline give way when the user names a pipeline `traces`, uses receiver `otlp` in a
//    pipeline of another name, or has a receiver on the same port;
//  - `spanloom_store` is appended to the exporters of each traces pipeline that names no exporter of that type.
ComposedConfig ComposeConfig(const config::Node& user, const ComposeOptions& options);

}  // namespace spanloom::app
