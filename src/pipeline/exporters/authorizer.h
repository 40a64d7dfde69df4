// SPDX-License-Identifier: Apache-2.0
//
// The authenticator that an exporter's `auth` names.

#pragma once

#include <memory>
#include <optional>

#include "base/status.h"
#include "pipeline/auth_options.h"
#include "pipeline/client_authenticator.h"
#include "pipeline/exporters/request_encoder.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// Immutable; its function is thread-safe.
class Authorizer {
 public:
  // While the exporter is made.
  Authorizer(const std::optional<AuthOptions>& auth, const BuildContext& context) {
    if (!auth) return;
    auto found = context.extensions->Client(auth->authenticator);
    status_ = found.status();
    if (found.ok()) authenticator_ = *std::move(found);
  }

  // kInvalidArgument if there is no such extension; for Start to say.
  [[nodiscard]] const Status& status() const { return status_; }
  [[nodiscard]] bool needs_tls() const { return authenticator_ != nullptr && authenticator_->needs_tls(); }

  // Adds to the headers of one attempt. Errors: as ClientAuthenticator.
  Status Authorize(const ExportRequest& request, net::HttpHeaders& headers) const {
    return authenticator_ == nullptr ? absl::OkStatus() : authenticator_->Authorize(*request.origin, headers);
  }

 private:
  Status status_;
  std::shared_ptr<ClientAuthenticator> authenticator_;  // null without auth; shared with the extension
};

}  // namespace spanloom::pipeline
