// SPDX-License-Identifier: Apache-2.0
//
// The option `auth` of receivers and exporters.

#pragma once

#include <string>
#include <vector>

#include "config/options.h"

namespace spanloom::pipeline {

struct AuthOptions {
  std::string authenticator = {};  // the id of an extension
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

// Of a receiver over HTTP.
struct HttpServerAuthOptions {
  std::string authenticator = {};
  std::vector<std::string> request_params = {};  // of the query, to be taken for headers
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

}  // namespace spanloom::pipeline
