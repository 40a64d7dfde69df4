// SPDX-License-Identifier: Apache-2.0
//
// Where the options of a component name an extension: `auth: {authenticator: NAME}`, `additional_auth: NAME` of
// headers_setter, `sending_queue: {storage: NAME}`.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/node.h"
#include "config/problems.h"
#include "pipeline/service_config.h"

namespace spanloom::pipeline {

struct ExtensionReference {
  std::string path;  // "protocols::grpc::auth::authenticator"
  std::string name;
  config::Source source;
};

// In the order in which they stand in `options`.
std::vector<ExtensionReference> ExtensionReferencesOf(const config::Node& options);

// Adds a problem for each reference in `config` to an extension that does not run.
void CheckExtensionReferences(const ServiceConfig& config, config::Problems& problems);

}  // namespace spanloom::pipeline
