// SPDX-License-Identifier: Apache-2.0
//
// Reads a certificate's names.

#pragma once

#include <memory>

#include "net/peer_certificate.h"

struct ssl_st;  // OpenSSL's SSL

namespace spanloom::net {

// What the peer of `ssl`, whose handshake is done, has shown; null if it has shown nothing that was verified.
[[nodiscard]] std::shared_ptr<const PeerCertificate> PeerCertificateOf(const ssl_st* ssl);

}  // namespace spanloom::net
