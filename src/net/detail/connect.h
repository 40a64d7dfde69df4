// SPDX-License-Identifier: Apache-2.0
//
// Opens a TCP connection to a name or an address.

#pragma once

#include <optional>
#include <string>

#include "base/status.h"
#include "net/detail/asio.h"
#include "net/detail/endpoint.h"
#include "net/detail/tls_credentials.h"
#include "net/detail/transport.h"

namespace spanloom::net {

// The outcome of Connect; `transport` is there if `status` is OK.
struct Connected {
  Status status;
  std::optional<Transport> transport;
};

// Resolves `target`, tries its addresses in turn, and does TLS's handshake unless `tls` is null; all for at most 20 s
// (gRPC's MIN_CONNECT_TIMEOUT). The status is kUnavailable and names the target and the reason. Both must live until
// the outcome is there.
asio::awaitable<Connected> Connect(Loop& loop, const HostPort& target, TlsCredentials* tls);

}  // namespace spanloom::net
