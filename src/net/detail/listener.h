// SPDX-License-Identifier: Apache-2.0
//
// Accepting: one socket a loop, all bound to the same port, so that the kernel spreads the connections (SO_REUSEPORT).

#pragma once

#include <memory>
#include <vector>

#include "base/status.h"
#include "net/detail/asio.h"
#include "net/detail/server_connection.h"

namespace spanloom::net {

// Binds a socket for each of `loops` and listens. `endpoint` gets the port if it was 0. kUnavailable, with the advice
// what to do, if the address is in use (by this process too) or can't be bound.
StatusOr<std::vector<tcp::acceptor>> Listen(LoopPool& loops, const ServerOptions& options, tcp::endpoint& endpoint);

// Accepts on one loop. Sequence-bound: the loop. Kept alive by its coroutine.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  Listener(Loop& loop, tcp::acceptor acceptor, std::shared_ptr<ServerContext> context);

  void Start();
  void Close();

  [[nodiscard]] Loop& loop() { return loop_; }
  [[nodiscard]] ConnectionSet& connections() { return *connections_; }

 private:
  static asio::awaitable<void> Accept(std::shared_ptr<Listener> self);
  asio::awaitable<void> AcceptOne();
  void Admit(tcp::socket socket);

  Loop& loop_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::shared_ptr<ServerContext> context_;      // shared by all connections of the server
  std::shared_ptr<ConnectionSet> connections_;  // shared by the server's connections on this loop
};

}  // namespace spanloom::net
