// SPDX-License-Identifier: Apache-2.0
//
// Who may send: what a receiver asks before it takes a request. Found by name among the extensions (extension_roles.h).

#pragma once

#include <absl/functional/any_invocable.h>

#include <string>

#include "base/status.h"
#include "net/http.h"
#include "otlp/request_origin.h"

namespace spanloom::pipeline {

// Thread-safe. Shared with the receivers that ask it, which may outlive its extension.
class ServerAuthenticator {
 public:
  virtual ~ServerAuthenticator() = default;

  // What was found out about a sender: "username", ...
  using Attributes = otlp::RequestOrigin::Pairs;
  using Done = absl::AnyInvocable<void(StatusOr<Attributes>)>;

  // Decides by the headers (or metadata) of a request, names in lower case, which are not looked at after the call.
  // `done` is called once, inside the call or later on a loop. Must not block. Errors: kUnauthenticated, whose message
  // the sender may read; kUnavailable if it can't be decided now.
  virtual void Authenticate(const net::HttpHeaders& headers, Done done) = 0;

  // The value of WWW-Authenticate in an answer 401 (RFC 9110, 11.6.1); "" if the credentials are in no such header.
  [[nodiscard]] virtual std::string challenge() const = 0;
};

}  // namespace spanloom::pipeline
