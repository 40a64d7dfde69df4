// SPDX-License-Identifier: Apache-2.0
//
// What an exporter's requests have to show at their destination. Found by name among the extensions
// (extension_roles.h).

#pragma once

#include "base/status.h"
#include "net/http.h"
#include "otlp/request_origin.h"

namespace spanloom::pipeline {

// Thread-safe. Shared with the exporters that use it, which may outlive its extension.
class ClientAuthenticator {
 public:
  virtual ~ClientAuthenticator() = default;

  // Adds to, or changes, the headers (or metadata) of one attempt, names in lower case. `origin` is what is known of
  // where all of its data came from. Must not block. An error fails the attempt: kUnavailable if a later one may be
  // well.
  virtual Status Authorize(const otlp::RequestOrigin& origin, net::HttpHeaders& headers) = 0;

  // True if what it adds must not go over gRPC without TLS, as in the Collector.
  [[nodiscard]] virtual bool needs_tls() const { return true; }
};

}  // namespace spanloom::pipeline
