// SPDX-License-Identifier: Apache-2.0
//
// Where the options of a component name an authenticator: `auth: {authenticator: NAME}`, and `additional_auth: NAME`
// of headers_setter.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/node.h"
#include "config/problems.h"
#include "pipeline/service_config.h"

namespace spanloom::pipeline {

struct AuthReference {
  std::string path;  // "protocols::grpc::auth::authenticator"
  std::string name;
  config::Source source;
};

// In the order in which they stand in `options`.
std::vector<AuthReference> AuthReferencesOf(const config::Node& options);

// Adds a problem for each reference in `config` to an extension that does not run.
void CheckAuthReferences(const ServiceConfig& config, config::Problems& problems);

}  // namespace spanloom::pipeline
