// SPDX-License-Identifier: Apache-2.0

#include "net/detail/transport.h"

namespace spanloom::net {

// A socket that fails in one of these fails at its next read too, so errors are not looked at.
Transport::Transport(Socket socket) : socket_(std::move(socket)) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
}

void Transport::ShutdownSend() {
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Transport::Cancel() {
  error_code ignored;
  socket_.cancel(ignored);
}

void Transport::Close() {
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace spanloom::net
