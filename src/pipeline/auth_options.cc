// SPDX-License-Identifier: Apache-2.0

#include "pipeline/auth_options.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kAuthenticatorWords =
    "The extension that decides, TYPE or TYPE/NAME as in service::extensions.";

Status ValidateAuthenticator(const std::string& authenticator) {
  if (!authenticator.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError("authenticator must name an extension");
}

}  // namespace

void AuthOptions::Declare(config::OptionsReader& r) {
  r.Field("authenticator", authenticator, kAuthenticatorWords);
}

Status AuthOptions::Validate() const {
  return ValidateAuthenticator(authenticator);
}

void HttpServerAuthOptions::Declare(config::OptionsReader& r) {
  r.Field("authenticator", authenticator, kAuthenticatorWords);
  r.Field("request_params", request_params,
          "Parameters of the URL's query that count as headers of their names, and before them.");
}

Status HttpServerAuthOptions::Validate() const {
  return ValidateAuthenticator(authenticator);
}

}  // namespace spanloom::pipeline
