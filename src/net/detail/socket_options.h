// SPDX-License-Identifier: Apache-2.0
//
// Socket options of every connection, either end.

#pragma once

#include "net/detail/asio.h"

namespace spanloom::net {

// Sends small writes at once, and lets the kernel find peers that are gone: one that is silent is probed after 15 s,
// and one that acknowledges nothing, or has not read for 60 s what we sent, is cut off. Reads and writes then fail.
void SetConnectionOptions(Socket& socket);

}  // namespace spanloom::net
