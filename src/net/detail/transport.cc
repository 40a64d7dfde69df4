// SPDX-License-Identifier: Apache-2.0

#include "net/detail/transport.h"

namespace spanloom::net {

// A socket that fails in one of these fails at its next read too, so errors are not looked at.
Transport::Transport(Socket socket, std::unique_ptr<TlsSession> tls)
    : socket_(std::move(socket)), tls_(std::move(tls)) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  if (tls_ != nullptr) tls_->Attach(socket_.native_handle());
}

asio::awaitable<error_code> Transport::Handshake() {
  error_code error;
  if (tls_ == nullptr) co_return error;
  tls_->Handshake(error);
  while (error == asio::error::would_block) {
    co_await socket_.async_wait(WaitType(Direction::kRead), Into(error));
    if (!error && socket_.is_open()) tls_->Handshake(error);
  }
  co_return error;
}

std::string Transport::HandshakeFailure(const error_code& error) const {
  return tls_ == nullptr || tls_->failure().empty() ? error.message() : tls_->failure();
}

void Transport::ShutdownSend() {
  if (tls_ != nullptr) tls_->SendCloseNotify();
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Transport::Cancel() {
  error_code ignored;
  socket_.cancel(ignored);
}

void Transport::Close() {
  if (!socket_.is_open()) return;
  if (tls_ != nullptr) tls_->SendCloseNotify();
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace spanloom::net
