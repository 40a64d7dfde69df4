// SPDX-License-Identifier: Apache-2.0

#include "net/detail/socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace spanloom::net {
namespace {

// Idle time, distance and number of TCP keepalive probes: what Go's servers use.
constexpr int kProbeIdleS = 15;
constexpr int kProbeIntervalS = 15;
constexpr int kProbes = 9;
// Also ends connections whose window has been closed that long (Linux 5.11). Guess; gRPC's proposal A18 takes 20 s.
constexpr int kUserTimeoutMs = 60'000;

// A socket on which an option can't be set fails at its first read too, so errors are not looked at.
void Set(Socket& socket, int level, int option, int value) {
  setsockopt(socket.native_handle(), level, option, &value, sizeof(value));
}

}  // namespace

void SetConnectionOptions(Socket& socket) {
  Set(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  Set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  Set(socket, IPPROTO_TCP, TCP_KEEPIDLE, kProbeIdleS);
  Set(socket, IPPROTO_TCP, TCP_KEEPINTVL, kProbeIntervalS);
  Set(socket, IPPROTO_TCP, TCP_KEEPCNT, kProbes);
  Set(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, kUserTimeoutMs);
}

}  // namespace spanloom::net
