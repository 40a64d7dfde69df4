// SPDX-License-Identifier: Apache-2.0
//
// Whom the other end of a connection has proved to be, by the certificate of its TLS handshake.

#pragma once

#include <string>
#include <vector>

namespace spanloom::net {

// Of a certificate that was verified. Immutable once made; shared by the requests of a connection.
struct PeerCertificate {
  std::string subject;                       // RFC 2253: "CN=agent,O=example"
  std::vector<std::string> dns_names;        // subject alternative names, in their order in the certificate
  std::vector<std::string> uris;             // as "spiffe://example/agent"
  std::vector<std::string> email_addresses;  // RFC 5280, 4.2.1.6: rfc822Name
  std::vector<std::string> ip_addresses;     // as "10.0.0.1", "::1"
};

}  // namespace spanloom::net
