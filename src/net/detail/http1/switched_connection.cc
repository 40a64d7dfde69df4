// SPDX-License-Identifier: Apache-2.0
//
// A server's connection that goes on in another protocol: what the client sends is read as it is, when the handler asks
// for it. What is written goes the way of a streamed answer, without a frame.

#include <utility>

#include "net/detail/http1/server_connection.h"

namespace spanloom::net::http1 {

// Over HTTP/1.0 the header means nothing (RFC 9110, 7.8). A body would have to be read before the answer.
bool ServerConnection::MaySwitch() const {
  return parser_->upgrade() && parser_->get().version() >= 11 && parser_->is_done();
}

// Nobody else reads from the socket afterwards.
asio::awaitable<void> ServerConnection::StopWatching() {
  if (is_watching_) socket_.Cancel();
  while (is_watching_) co_await AwaitEvent();
}

asio::awaitable<void> ServerConnection::ReadSwitched([[maybe_unused]] std::shared_ptr<ServerConnection> self) {
  const std::shared_ptr<Exchange> exchange = exchange_;
  while (is_watching_ && !closed_) co_await AwaitEvent();  // the writing stops that
  error_code error;
  std::string piece;
  if (!closed_ && !client_is_gone_) piece = TakeSwitched(error);
  while (!closed_ && !client_is_gone_ && piece.empty() && !error) {
    co_await socket_.WaitRead(Into(error));
    if (!error && !closed_) piece = TakeSwitched(error);
  }
  is_reading_piece_ = false;
  Wake();
  if (!piece.empty() || socket_.IsEnd(error)) co_return exchange->OnBody(Bytes(std::move(piece)));
  client_is_gone_ = true;
  exchange->OnClientGone();
  exchange->OnBody(absl::CancelledError(error.message()));
}

// What has arrived and was not taken yet; nothing, without an error, if that is nothing.
std::string ServerConnection::TakeSwitched(error_code& error) {
  if (input_.size() > 0) return input_.TakeKept();
  std::string piece(input_.ReadSome(loop_, socket_, error));
  if (WouldBlock(error)) error = {};
  return piece;
}

}  // namespace spanloom::net::http1
